/*
 * Replays at a node without logs: a child's request is passed on to the node's own parent, and what
 * comes of it down again; or the node answers itself, where its ring holds all that the child lacks.
 *
 * Each has a number of its own above, so nobody's waits for another one. What a child granted is what the
 * parent is granted, and again as it leaves here: so no more of a replay is here than its child's credit.
 */
import type { Chain } from '@fanfold/document'
import { type EffectSink, equalBytes, type Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  type LinkEffect,
  type LinkId,
  type LogRecord,
  limits,
  type Position,
  zeroPosition,
} from '@fanfold/protocol'
import type { ReplayFrame, ReplayWish } from './asked-replays.ts'
import type { RecordRing } from './record-ring.ts'
import { ReplayStream } from './replay-stream.ts'
import {
  idleLooksMax,
  jittered,
  linkShare,
  type ReplayOutcome,
  type ReplayProblem,
  type ReplayRequest,
  type Replays,
  replayEnded,
} from './replays.ts'
import { replaysMaxDefault } from './served-replays.ts'

/** What the node holds of a document that it follows. */
export type HeldRecords = {
  readonly ring: RecordRing
  /** Highest tag of a part in them. */
  readonly ceiling: number
}

/** When a child whose replay cannot be now may ask again, at least, ms. */
const retryAfterMs = 250
/** The most that a parent is granted, and so the most that is held of one replay. */
const windowBytesMax = 1_048_576
/** Bytes of the ring that a replay has at hand. */
const ringBytesMax = 262_144

/** The node's parent, as far as replays go. */
export type ReplaysAbove = {
  /** Asks for a replay for this child; its number, undefined when there is nobody to ask but the child itself. */
  ask(wish: ReplayWish, child: LinkId): number | undefined
  /** So many bytes more of it are taken. */
  credit(replay: number, bytes: number): void
  /** It is not wanted any more. */
  leave(replay: number): void
}

type Relayed = {
  readonly stream: ReplayStream
  /** Bytes that the parent was granted first, and may have on the way to the child at a time. */
  readonly window: number
  /** Bytes that have left since the parent was granted more. */
  left: number
  state: /** It comes from above, under this number. */
    | { readonly kind: 'asked'; readonly replay: number }
    /** All that comes is here. */
    | { readonly kind: 'over' }
    /** From the ring: seq of the last record taken from it. */
    | { readonly kind: 'ring'; takenTo: number }
}

/** The replays that a node passes on. */
export class PassedReplays implements Replays {
  readonly #chain: Chain
  readonly #prng: Prng
  readonly #held: (doc: DocumentKey) => HeldRecords | undefined
  readonly #above: ReplaysAbove
  readonly #note: (doc: DocumentKey, outcome: ReplayOutcome) => void
  readonly #replaysMax: number
  readonly #replays = new Set<Relayed>()
  /** Those that come from above, by their numbers there. */
  readonly #asked = new Map<number, Relayed>()
  /** Replays with something to send, the longest waiting first. */
  readonly #ready = new Set<Relayed>()

  constructor(options: {
    readonly chain: Chain
    readonly prng: Prng
    /** What the node holds of a document, if it follows it. */
    readonly held: (doc: DocumentKey) => HeldRecords | undefined
    readonly above: ReplaysAbove
    /** Called for each replay that is over. */
    readonly note: (doc: DocumentKey, outcome: ReplayOutcome) => void
    /** Replays at a time; one more is refused. The default one when not said. */
    readonly replaysMax?: number | undefined
  }) {
    this.#chain = options.chain
    this.#prng = options.prng
    this.#held = options.held
    this.#above = options.above
    this.#note = options.note
    this.#replaysMax = options.replaysMax ?? replaysMaxDefault
  }

  /** Replays under way. */
  get count(): number {
    return this.#replays.size
  }

  get hasMore(): boolean {
    return this.#ready.size > 0
  }

  /** True while a child has a replay of the document. */
  has(doc: DocumentKey): boolean {
    for (const { stream } of this.#replays) if (stream.doc === doc) return true
    return false
  }

  request(doc: DocumentKey, request: ReplayRequest, effects: EffectSink<LinkEffect>): void {
    this.leave(request.link, request.replay)
    if (!this.#hasRoomFor(request.link)) {
      const [max, share] = [this.#replaysMax, linkShare(this.#replaysMax)]
      const message = `the node passes ${max} replays on, and ${share} of one child`
      this.#refuse(doc, request, { code: 'FANFOLD_OVERLOADED', message }, effects)
      return
    }
    const { have } = request
    const stream = new ReplayStream(doc, request)
    const window = Math.min(request.credit, windowBytesMax)
    const held = this.#held(doc)
    const from = have ?? zeroPosition
    if (held !== undefined && holdsAfter(held.ring, from)) {
      const relayed: Relayed = {
        stream,
        window,
        left: 0,
        state: { kind: 'ring', takenTo: from.seq },
      }
      this.#replays.add(relayed)
      this.#takeFromRing(relayed)
      return
    }
    const replay = this.#above.ask({ doc, have, credit: window }, request.link)
    if (replay === undefined) {
      const message = 'this node cannot ask a parent for it now'
      this.#refuse(doc, request, { code: 'FANFOLD_NO_PARENT', message }, effects)
      return
    }
    const relayed: Relayed = { stream, window, left: 0, state: { kind: 'asked', replay } }
    this.#replays.add(relayed)
    this.#asked.set(replay, relayed)
  }

  credit(link: LinkId, replay: number, bytes: number): void {
    const relayed = this.#find(link, replay)
    if (relayed === undefined) return
    relayed.stream.grant(bytes)
    this.#look(relayed)
  }

  leave(link: LinkId, replay: number): void {
    const relayed = this.#find(link, replay)
    if (relayed !== undefined) this.#forget(relayed, 'left')
  }

  close(link: LinkId): void {
    for (const relayed of this.#replays) {
      if (relayed.stream.link === link) this.#forget(relayed, 'left')
    }
  }

  drained(link: LinkId): void {
    for (const relayed of this.#replays) if (relayed.stream.link === link) this.#look(relayed)
  }

  sendNext(effects: EffectSink<LinkEffect>): void {
    for (const relayed of this.#ready) {
      this.#ready.delete(relayed)
      // Its link may have filled up meanwhile.
      if (!relayed.stream.isReady) continue
      const left = relayed.stream.send(this.#chain, effects)
      if (left === undefined) this.#forget(relayed, relayed.stream.outcome)
      else this.#sent(relayed, left)
      return
    }
  }

  /** Takes a frame of a replay from the parent. */
  receive(frame: ReplayFrame): void {
    const relayed = this.#asked.get(frame.replay)
    if (relayed === undefined) return
    const { stream } = relayed
    if (frame.kind === 'replay') {
      stream.add(frame.records, frame.ceiling)
      // The child is no faster for it: what is here stays bounded.
      if (stream.heldBytes > relayed.window + limits.recordBytesMax.value)
        this.#cut(relayed, tooMuch)
    } else {
      const { code, message, retryAfterMs } = frame
      stream.end(code === undefined ? undefined : { code, message, retryAfterMs })
      this.#asked.delete(frame.replay)
      relayed.state = { kind: 'over' }
    }
    this.#look(relayed)
  }

  /** The node's records of the document were replaced: a replay from the ring does not go on. */
  replaced(doc: DocumentKey): void {
    for (const relayed of this.#replays) {
      if (relayed.stream.doc !== doc || relayed.state.kind !== 'ring') continue
      relayed.stream.end(gone)
      this.#look(relayed)
    }
  }

  /** Nothing of the document that is here may be sent any more: its ceiling has fallen. */
  lowered(doc: DocumentKey): void {
    for (const relayed of this.#replays) {
      if (relayed.stream.doc !== doc) continue
      this.#cut(relayed, gone)
      this.#look(relayed)
    }
  }

  letGo(effects: EffectSink<LinkEffect>): void {
    for (const relayed of this.#replays) {
      if (!relayed.stream.isIdleFor(idleLooksMax)) continue
      this.#forget(relayed, 'failed')
      const message = 'nothing came of the replay, or was taken, for long'
      this.#endWith(relayed.stream, { code: 'FANFOLD_OVERLOADED', message }, effects)
    }
  }

  #hasRoomFor(link: LinkId): boolean {
    if (this.#replays.size >= this.#replaysMax) return false
    let count = 0
    for (const { stream } of this.#replays) if (stream.link === link) count++
    return count < linkShare(this.#replaysMax)
  }

  #sent(relayed: Relayed, left: number): void {
    const { window, state } = relayed
    relayed.left += left
    if (state.kind === 'ring') this.#takeFromRing(relayed)
    else if (state.kind === 'asked' && relayed.left * 2 >= window) {
      this.#above.credit(state.replay, relayed.left)
      relayed.left = 0
    }
    this.#look(relayed)
  }

  /** Up to the head of now: what follows it comes on the stream. */
  #takeFromRing(relayed: Relayed): void {
    const { stream, state } = relayed
    if (state.kind !== 'ring' || stream.isEnding) return
    const held = this.#held(stream.doc)
    if (held === undefined || state.takenTo < held.ring.base.seq) {
      stream.end(gone)
    } else {
      const { ring, ceiling } = held
      const records: LogRecord[] = []
      for (let bytes = stream.heldBytes; bytes < ringBytesMax; ) {
        const record = ring.get(state.takenTo + 1)
        if (record === undefined) break
        records.push(record)
        bytes += record.bytes.length
        state.takenTo++
      }
      stream.add(records, ceiling)
      if (state.takenTo === ring.lastSeq) stream.end(undefined)
    }
    this.#look(relayed)
  }

  #find(link: LinkId, replay: number): Relayed | undefined {
    for (const relayed of this.#replays) {
      if (relayed.stream.link === link && relayed.stream.replay === replay) return relayed
    }
    return undefined
  }

  #look(relayed: Relayed): void {
    if (relayed.stream.isReady) this.#ready.add(relayed)
    else this.#ready.delete(relayed)
  }

  /** What is at hand is let go, and the child told why. */
  #cut(relayed: Relayed, problem: ReplayProblem): void {
    relayed.stream.cut(problem)
    this.#leaveAbove(relayed)
  }

  /** The child has all, or wants no more: above too, nobody does. */
  #forget(relayed: Relayed, outcome: ReplayOutcome): void {
    this.#replays.delete(relayed)
    this.#ready.delete(relayed)
    this.#leaveAbove(relayed)
    this.#note(relayed.stream.doc, outcome)
  }

  #leaveAbove(relayed: Relayed): void {
    const { state } = relayed
    relayed.state = { kind: 'over' }
    if (state.kind !== 'asked') return
    this.#asked.delete(state.replay)
    this.#above.leave(state.replay)
  }

  #refuse(
    doc: DocumentKey,
    request: ReplayRequest,
    problem: ReplayProblem,
    effects: EffectSink<LinkEffect>,
  ): void {
    this.#endWith(request, problem, effects)
    this.#note(doc, 'refused')
  }

  /** Ends the replay now, whatever is at hand; the child may ask again after a while. */
  #endWith(
    { link, replay }: Pick<ReplayRequest, 'link' | 'replay'>,
    problem: ReplayProblem,
    effects: EffectSink<LinkEffect>,
  ): void {
    const retryMs = jittered(retryAfterMs, this.#prng)
    effects.push(replayEnded(link, replay, { ...problem, retryAfterMs: retryMs }))
  }
}

/** Why a replay ends whose records are here no more; it may be had from above. */
const gone: ReplayProblem = {
  code: 'FANFOLD_NO_TAIL',
  message: 'the records that follow are not at hand any more',
}

/** Why a replay ends whose parent does not keep to what it was granted. */
const tooMuch: ReplayProblem = {
  code: 'FANFOLD_OVERLOADED',
  message: 'more of the replay came than was granted',
  retryAfterMs,
}

/** True when the ring has all that follows, of the same history. */
function holdsAfter(ring: RecordRing, have: Position): boolean {
  const hash = ring.hashAt(have.seq)
  return hash !== undefined && equalBytes(hash, have.hash)
}
