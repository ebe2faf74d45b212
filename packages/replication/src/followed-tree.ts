/* What a role that follows documents says in looks at their trees. */
import type { EffectSink, Instant } from '@fanfold/kernel'
import type { FollowedStanding } from './followed-standing.ts'
import type { Following } from './following.ts'
import type { FollowingEffect } from './parent-effect.ts'
import type { OwnStanding, TreeLooksPort } from './tree-looks.ts'

/**
 * Whom a role that follows documents has above it.
 *
 * @param turn the instant of the input or the tick in hand, and where its effects go
 */
export const aboveIn = (
  { parents }: Pick<Following, 'parents'>,
  turn: () => { readonly now: Instant; readonly effects: EffectSink<FollowingEffect> },
): Pick<TreeLooksPort, 'above' | 'servedBy'> => ({
  above: doc => {
    const { now, effects } = turn()
    return parents.linkToAsk(doc, now, effects) ?? (parents.mayBeHad(doc) ? 'later' : 'nobody')
  },
  servedBy: doc => parents.linkOf(doc),
})

/** How the role stands with a document, which it does not follow when there is no standing. */
export function ownStanding(
  followed: FollowedStanding | undefined,
  { viewers, children }: Pick<OwnStanding, 'viewers' | 'children'>,
): OwnStanding {
  return {
    epoch: followed?.epoch ?? 0,
    seq: followed?.seq ?? 0,
    viewers,
    children,
    isLive: followed?.isLive ?? false,
    staleMs: followed?.staleForMs,
    lagMs: followed?.lagMs,
    recentRecords: followed?.recentRecords ?? 0,
    recentBytes: followed?.recentBytes ?? 0,
  }
}
