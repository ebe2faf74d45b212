import type { Chain } from '@fanfold/document'
import type { EffectSink, Instant, Prng } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'
import {
  type Following,
  type FollowingEffect,
  PassedReplays,
  type ReplayOutcome,
} from '@fanfold/replication'
import type { ProxyDocument } from './proxy-document.ts'

/** The replays that a proxy passes on, from what is here or from its parent. */
export function passedReplays(options: {
  readonly chain: Chain
  readonly prng: Prng
  readonly following: Following
  readonly documents: ReadonlyMap<DocumentKey, ProxyDocument>
  /** Who is at the link of a child. */
  readonly childAt: (link: LinkId) => string | undefined
  /** The instant of the input or the tick in hand, and where its effects go. */
  readonly turn: () => { readonly now: Instant; readonly effects: EffectSink<FollowingEffect> }
  /** A child's replay is over. */
  readonly note: (doc: DocumentKey, outcome: ReplayOutcome) => void
  readonly replaysMax: number | undefined
}): PassedReplays {
  const { chain, prng, following, documents, childAt, turn, note, replaysMax } = options
  return new PassedReplays({
    chain,
    prng,
    held: doc => {
      const document = documents.get(doc)
      if (document?.canServe !== true) return undefined
      const { ring, upstream } = document.follower
      return { ring, ceiling: upstream.ceiling }
    },
    above: {
      ask: (wish, child) => {
        const { now, effects } = turn()
        const link = following.parents.linkToAsk(wish.doc, now, effects)
        // Two proxies that know different things of the fleet would pass it to each other and back, for ever.
        const node = link && following.parents.get(link)?.node
        if (node !== undefined && node === childAt(child)) return undefined
        return link && following.replays.ask(link, { kind: 'relay' }, wish, effects)
      },
      credit: (replay, bytes) => following.replays.credit(replay, bytes, turn().effects),
      leave: replay => following.replays.leave(replay, turn().effects),
    },
    note,
    replaysMax,
  })
}
