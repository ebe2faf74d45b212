import { buildLog, sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  parseDocumentKey,
} from '@fanfold/protocol'
import t from 'tap'
import type { ReplayWish } from '../src/asked-replays.ts'
import { type HeldRecords, PassedReplays, type ReplaysAbove } from '../src/passed-replays.ts'
import { RecordRing } from '../src/record-ring.ts'
import type { ReplayRequest } from '../src/replays.ts'
import { after, at, doc, framesOf, link, ringLimits } from './build-stream.ts'
import { labelled } from './labelled-log.ts'
import { bytesEach, log, replayedIn, requestOf, seqs } from './replay-rig.ts'

const [first, second, third] = [link(1), link(2), link(3)]

/** The parent of a node: it numbers what it is asked for from 1 on. */
class Above implements ReplaysAbove {
  readonly asked: LinkFrame[] = []
  isThere = true
  #replays = 0

  ask(wish: ReplayWish): number | undefined {
    if (!this.isThere) return undefined
    this.#replays++
    this.asked.push({ kind: 'request-replay', replay: this.#replays, ...wish })
    return this.#replays
  }

  credit(replay: number, bytes: number): void {
    this.asked.push({ kind: 'replay-credit', replay, bytes })
  }

  leave(replay: number): void {
    this.asked.push({ kind: 'leave-replay', replay })
  }
}

/** A node that passes replays on, with what it asks of its parent. */
class Rig {
  readonly replays: PassedReplays
  readonly above = new Above()
  readonly noted: string[] = []
  held: HeldRecords | undefined
  readonly #effects: LinkEffect[] = []

  constructor(replaysMax?: number) {
    this.replays = new PassedReplays({
      chain: new Chain(sha256),
      prng: new Prng('passed'),
      held: () => this.held,
      above: this.above,
      note: (_, outcome) => this.noted.push(outcome),
      replaysMax,
    })
  }

  /** What the parent was asked, in order. */
  get asked(): readonly LinkFrame[] {
    return this.above.asked
  }

  ask(overrides: Partial<ReplayRequest> = {}, key: DocumentKey = doc): void {
    this.replays.request(key, requestOf(overrides), this.#effects)
  }

  /** The parent sends these records, of the replay that it knows by this number. */
  come(from: number, to: number, replay = 1): void {
    const records = log.slice(from - 1, to)
    this.replays.receive({ kind: 'replay', replay, ceiling: 239, records })
  }

  end(replay = 1, code?: 'FANFOLD_NO_PARENT', retryAfterMs = 0): void {
    this.replays.receive({ kind: 'replay-ended', replay, code, message: '', retryAfterMs })
  }

  turns(): LinkEffect[] {
    for (let turn = 0; turn < 1_000 && this.replays.hasMore; turn++) {
      this.replays.sendNext(this.#effects)
    }
    return this.#effects.splice(0)
  }

  sent(to: LinkId = first): LinkFrame[] {
    return framesOf(this.turns(), to)
  }

  letGo(): LinkEffect[] {
    this.replays.letGo(this.#effects)
    return this.#effects.splice(0)
  }
}

t.test('a request goes up, what comes of it goes down, and so does its end', async t => {
  const rig = new Rig()
  rig.ask({ have: after(log[4]), credit: 5_000 })
  t.same(rig.asked, [
    { kind: 'request-replay', doc, replay: 1, have: after(log[4]), credit: 5_000 },
  ])
  rig.come(6, 10)
  t.same(replayedIn(rig.sent()), seqs(6, 10))
  rig.come(11, 12)
  rig.end()
  const frames = rig.sent()
  t.same(replayedIn(frames), [11, 12])
  t.match(frames.at(-1), { kind: 'replay-ended', code: undefined })
  t.equal(rig.replays.count, 0)
})

t.test('how each replay ended is noted', async t => {
  const rig = new Rig(2)
  for (const id of [first, second, third]) rig.ask({ link: id })
  rig.end()
  rig.turns()
  rig.end(2, 'FANFOLD_NO_PARENT')
  rig.turns()
  rig.ask()
  rig.replays.close(first)
  t.same(rig.noted, ['refused', 'complete', 'failed', 'left'])
})

t.test('the parent is granted what has left here, so that no more is here than that', async t => {
  const rig = new Rig()
  const credit = 10 * bytesEach
  rig.ask({ credit, have: after(log[0]) })
  rig.come(2, 11)
  t.same(replayedIn(rig.sent()), seqs(2, 11))
  t.same(rig.asked.slice(1), [{ kind: 'replay-credit', replay: 1, bytes: credit }])
  rig.come(12, 21)
  t.same(rig.sent(), [], 'which the child has not granted')
  t.equal(rig.asked.length, 2)
  rig.replays.credit(first, 1, 5 * bytesEach)
  t.same(replayedIn(rig.sent()), seqs(12, 16))
  t.same(rig.asked.slice(2), [{ kind: 'replay-credit', replay: 1, bytes: 5 * bytesEach }])
})

t.test('a child that grants very much does not make the node hold it', async t => {
  const rig = new Rig()
  rig.ask({ credit: 4_000_000_000 })
  t.match(rig.asked, [{ kind: 'request-replay', credit: 1_048_576 }])
})

t.test('replays of one document go on beside each other, each with its own number', async t => {
  const rig = new Rig()
  for (const id of [first, second]) rig.ask({ link: id, replay: 8 })
  rig.ask({ link: second, replay: 9, have: after(log[49]) })
  t.match(rig.asked, [{ replay: 1 }, { replay: 2 }, { replay: 3 }])
  rig.come(1, 3)
  rig.come(51, 52, 3)
  rig.come(1, 2, 2)
  rig.end(3)
  const effects = rig.turns()
  t.match(framesOf(effects, first), [{ kind: 'replay', replay: 8, records: { length: 3 } }])
  const toSecond = framesOf(effects, second)
  const of = (replay: number): LinkFrame[] =>
    toSecond.filter(frame => 'replay' in frame && frame.replay === replay)
  t.same(replayedIn(of(8)), [1, 2])
  t.same(replayedIn(of(9)), [51, 52])
  t.equal(of(9).at(-1)?.kind, 'replay-ended')
  t.equal(rig.replays.count, 2)
})

t.test('a number that the child uses again means the later replay', async t => {
  const rig = new Rig()
  rig.ask()
  rig.ask({ have: after(log[4]) })
  t.match(rig.asked, [{ replay: 1 }, { kind: 'leave-replay', replay: 1 }, { replay: 2 }])
  rig.come(1, 3)
  t.same(rig.sent(), [], 'what is left of the one before is nobody’s')
  rig.come(6, 7, 2)
  t.same(replayedIn(rig.sent()), [6, 7])
})

t.test('there are so many at a time, and who is refused comes back later', async t => {
  const rig = new Rig(2)
  for (const id of [first, second, third]) rig.ask({ link: id })
  const [refused] = rig.sent(third)
  t.match(refused, { kind: 'replay-ended', code: 'FANFOLD_OVERLOADED' })
  const wait = refused?.kind === 'replay-ended' ? refused.retryAfterMs : 0
  t.ok(wait >= 250 && wait < 500, `${wait} ms`)
})

t.test('without a parent a child is told so, with a time to wait', async t => {
  const rig = new Rig()
  rig.above.isThere = false
  rig.ask()
  const [refused] = rig.sent()
  t.match(refused, { kind: 'replay-ended', code: 'FANFOLD_NO_PARENT' })
  t.ok(refused?.kind === 'replay-ended' && refused.retryAfterMs >= 250)
  t.equal(rig.replays.count, 0)
})

t.test('when the parent is lost, the child is told after what is at hand', async t => {
  const rig = new Rig()
  rig.ask()
  rig.ask({ link: second })
  rig.come(1, 3)
  rig.above.isThere = false
  rig.end(1, 'FANFOLD_NO_PARENT', 250)
  rig.end(2, 'FANFOLD_NO_PARENT', 250)
  const effects = rig.turns()
  const frames = framesOf(effects, first)
  t.same(replayedIn(frames), [1, 2, 3])
  t.match(frames.at(-1), { kind: 'replay-ended', code: 'FANFOLD_NO_PARENT', retryAfterMs: 250 })
  t.match(framesOf(effects, second), [{ kind: 'replay-ended', code: 'FANFOLD_NO_PARENT' }])
  t.equal(rig.replays.count, 0)
})

t.test('a child that leaves, or is gone, leaves above too', async t => {
  for (const leave of [
    (rig: Rig) => rig.replays.leave(first, 1),
    (rig: Rig) => rig.replays.close(first),
  ]) {
    const rig = new Rig()
    rig.ask()
    rig.ask({ link: second })
    leave(rig)
    t.same(rig.asked.at(-1), { kind: 'leave-replay', replay: 1 })
    t.equal(rig.replays.count, 1)
    rig.come(1, 3)
    t.same(rig.sent(), [])
    rig.replays.close(second)
    t.same(rig.asked.at(-1), { kind: 'leave-replay', replay: 2 })
    t.equal(rig.replays.count, 0)
    t.notOk(rig.replays.has(doc))
  }
})

t.test('what the ring holds is answered from it, without asking above', async t => {
  const ring = new RecordRing(ringLimits({ recordsMax: 50 }))
  for (const record of log.slice(0, 100)) ring.push(record, at(0))
  const rig = new Rig()
  rig.held = { ring, ceiling: 239 }
  rig.ask({ have: after(log[49]) })
  const frames = rig.sent()
  t.same(replayedIn(frames), seqs(51, 100))
  t.match(frames.at(-1), { kind: 'replay-ended', code: undefined })
  t.same(rig.asked, [])
  rig.ask({ have: after(log[48]) })
  t.equal(rig.asked.length, 1, 'what it does not hold is asked for')
})

t.test('a child without anything is answered from a ring that has the first record', async t => {
  const ring = new RecordRing(ringLimits())
  for (const record of log.slice(0, 10)) ring.push(record, at(0))
  const rig = new Rig()
  rig.held = { ring, ceiling: 239 }
  rig.ask()
  t.same(replayedIn(rig.sent()), seqs(1, 10))
})

t.test('a replay from the ring goes on within the credit; what falls off ends it', async t => {
  const ring = new RecordRing(ringLimits({ recordsMax: 20 }))
  for (const record of log.slice(0, 20)) ring.push(record, at(0))
  const rig = new Rig()
  rig.held = { ring, ceiling: 239 }
  rig.ask({ have: after(log[4]), credit: 2 * bytesEach })
  t.same(replayedIn(rig.sent()), [6, 7])
  rig.replays.credit(first, 1, 1_000_000)
  const frames = rig.sent()
  t.same(replayedIn(frames), seqs(8, 20))
  t.equal(frames.at(-1)?.kind, 'replay-ended')
})

t.test('records that were replaced are replayed no further', async t => {
  const ring = new RecordRing(ringLimits())
  for (const record of log.slice(0, 20)) ring.push(record, at(0))
  const rig = new Rig()
  rig.held = { ring, ceiling: 239 }
  rig.ask({ have: after(log[4]), credit: 2 * bytesEach })
  rig.turns()
  ring.reset(after(log[99]))
  rig.replays.replaced(doc)
  rig.replays.credit(first, 1, 1_000_000)
  t.equal(rig.sent().at(-1)?.kind, 'replay-ended')
  t.equal(rig.replays.count, 0)
})

t.test('when the ceiling falls, nothing that is at hand leaves', async t => {
  const rig = new Rig()
  rig.ask({ credit: 1 })
  rig.replays.receive({ kind: 'replay', replay: 1, ceiling: 239, records: labelled.records })
  rig.turns()
  rig.replays.lowered(doc)
  rig.replays.credit(first, 1, 1_000_000)
  t.match(rig.sent(), [{ kind: 'replay-ended', code: 'FANFOLD_NO_TAIL' }])
  t.equal(rig.asked.at(-1)?.kind, 'leave-replay')
  t.equal(rig.replays.count, 0)
})

t.test('what comes is projected to the child’s ceiling', async t => {
  const rig = new Rig()
  rig.ask({ ceiling: 1 })
  rig.replays.receive({ kind: 'replay', replay: 1, ceiling: 2, records: labelled.records })
  rig.end()
  const effects = rig.turns()
  const [frame] = framesOf(effects)
  t.match(frame, { kind: 'replay', ceiling: 1 })
  for (const effect of effects) {
    t.notOk(effect.kind === 'link-send' && Buffer.from(effect.frame).includes('label-2'))
  }
})

t.test('a replay of which nothing comes for half a minute is let go', async t => {
  const rig = new Rig()
  rig.ask()
  rig.ask({ link: second })
  for (let look = 0; look < 6; look++) t.same(rig.letGo(), [])
  const effects = rig.letGo()
  for (const id of [first, second]) {
    t.match(framesOf(effects, id), [{ kind: 'replay-ended', code: 'FANFOLD_OVERLOADED' }])
  }
  t.equal(rig.replays.count, 0)
  t.match(rig.asked.slice(2), [{ kind: 'leave-replay' }, { kind: 'leave-replay' }])
})

t.test('a parent that sends more than it was granted is left, and what came let go', async t => {
  const { records } = buildLog({ doc, count: 40, recordBytes: 100_000 })
  const rig = new Rig()
  rig.ask({ credit: 300_000, isCongested: () => true })
  let frames = 0
  for (; rig.asked.at(-1)?.kind !== 'leave-replay' && frames < records.length; frames++) {
    const next = records.slice(frames, frames + 1)
    rig.replays.receive({ kind: 'replay', replay: 1, ceiling: 239, records: next })
  }
  t.ok(frames < 16, `${frames} frames of 100 kB`)
  rig.come(1, 5)
  t.equal(rig.replays.count, 1, 'the child is told once it can be')
})

t.test('one child has half of what may be passed on at most', async t => {
  const rig = new Rig(4)
  const keys = [0, 1, 2].map(index => parseDocumentKey(`acme/match/m${index}`))
  for (const [at, key] of keys.entries()) rig.ask({ replay: at }, key)
  t.match(rig.sent(), [{ kind: 'replay-ended', code: 'FANFOLD_OVERLOADED' }])
  rig.ask({ link: second })
  t.match(rig.asked.at(-1), { kind: 'request-replay', doc })
})
