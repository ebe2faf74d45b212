import { buildLog, sha256 } from '@fanfold/conformance'
import { Prng } from '@fanfold/kernel'
import {
  type ErrorCode,
  type LinkEffect,
  type LinkFrame,
  type LogRecord,
  type Position,
  parseDocumentKey,
  type SnapshotManifest,
} from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import {
  defaultUpstreamLimits,
  Upstream,
  type UpstreamEvent,
  type UpstreamLimits,
} from '../src/upstream.ts'
import { after, at, damaged, doc, framesOf, link, recordsOf, snapshotAt } from './build-stream.ts'

const log = recordsOf(60)
const head = after(log[9])
const parent = link(1)

/** An upstream on a link, and what it sends and tells. */
class Rig {
  readonly upstream: Upstream
  nowMs = 0
  #effects: LinkEffect[] = []

  constructor(limits: Partial<UpstreamLimits> = {}) {
    this.upstream = new Upstream({
      doc,
      sha256,
      prng: new Prng('upstream'),
      limits: { ...defaultUpstreamLimits, ...limits },
    })
  }

  attach(to = parent): LinkFrame[] {
    this.upstream.attach(to, at(this.nowMs), this.#effects)
    return this.sent()
  }

  /** Takes frames, and answers with the events of all. */
  take(...frames: LinkFrame[]): UpstreamEvent[] {
    return frames.flatMap(frame => this.upstream.receive(frame, at(this.nowMs), this.#effects))
  }

  /** Lets time pass up to the next deadline, or so many milliseconds. */
  pass(ms: number): UpstreamEvent[] {
    this.nowMs = Math.round((this.nowMs + ms) * 1_000) / 1_000
    return this.upstream.tick(at(this.nowMs), this.#effects)
  }

  /** Milliseconds to the next deadline. */
  get waitMs(): number | undefined {
    const { wakeAt } = this.upstream
    return wakeAt === undefined ? undefined : (wakeAt - at(this.nowMs)) / 1_000
  }

  sent(): LinkFrame[] {
    return framesOf(this.#effects.splice(0))
  }

  leave(): LinkFrame[] {
    this.upstream.leave(this.#effects)
    return this.sent()
  }

  restart(): UpstreamEvent[] {
    return this.upstream.restart('broken', at(this.nowMs), this.#effects)
  }
}

const welcome = (mode: 'tail' | 'snapshot' = 'snapshot', position = head): LinkFrame => ({
  kind: 'welcome',
  doc,
  channel: 7,
  mode,
  head: position,
})

const records = (...list: (LogRecord | undefined)[]): LinkFrame => ({
  kind: 'records',
  channel: 7,
  records: list.filter(record => record !== undefined),
})

const from = (first: number, last: number): LinkFrame => records(...log.slice(first - 1, last))

const begin = (manifest: SnapshotManifest): LinkFrame => ({
  kind: 'snapshot-begin',
  channel: 7,
  manifest,
})

const piece = (index: number, bytes: Uint8Array | undefined): LinkFrame => ({
  kind: 'snapshot-piece',
  channel: 7,
  index,
  piece: bytes ?? new Uint8Array(1),
})

/** All frames of a snapshot at a position. */
const snapshotFrames = (position: Position, bytes = 0): LinkFrame[] => {
  const { manifest, pieces } = snapshotAt(position, bytes)
  return [begin(manifest), ...pieces.map((bytes, index) => piece(index, bytes))]
}

const refused = (code: ErrorCode, retryAfterMs = 0): LinkFrame => ({
  kind: 'refused',
  doc,
  code,
  message: 'no',
  retryAfterMs,
})

/** A rig that is live at the tenth record. */
const live = (limits: Partial<UpstreamLimits> = {}): Rig => {
  const rig = new Rig(limits)
  rig.attach()
  rig.take(welcome(), ...snapshotFrames(head))
  rig.sent()
  return rig
}

const kindsOf = (events: readonly UpstreamEvent[]): string[] =>
  events.map(event =>
    event.kind === 'resync'
      ? `resync ${event.reason}`
      : event.kind === 'records'
        ? `records ${event.records.map(({ seq }) => seq)}`
        : event.kind,
  )

t.test('a stream without state joins without have, with its credit', async t => {
  t.match(new Rig({ creditBytes: 5_000 }).attach(), [
    { kind: 'join', doc, have: undefined, credit: 5_000 },
  ])
})

t.test('a snapshot brings the stream to its position, live', async t => {
  const rig = new Rig()
  rig.attach()
  t.same(kindsOf(rig.take(welcome(), ...snapshotFrames(head, 200_000))), ['reset', 'joined'])
  t.same(rig.upstream.position, head)
  t.ok(rig.upstream.isLive)
  t.equal(rig.upstream.channel, 7)
  t.equal(rig.waitMs, undefined)
})

t.test('records that follow are handed on, verified, and the position moves', async t => {
  const rig = live()
  t.same(kindsOf(rig.take(from(11, 13), from(14, 14))), ['records 11,12,13', 'records 14'])
  t.same(rig.upstream.position, after(log[13]))
  t.same(rig.sent(), [])
})

t.test('detached and attached again, the stream resumes from what it has', async t => {
  const rig = live()
  rig.upstream.detach()
  t.notOk(rig.upstream.isLive)
  t.same(rig.take(from(11, 11)), [], 'what came late over the old link is nothing')
  t.match(rig.attach(link(2)), [{ kind: 'join', have: head }])
  t.same(kindsOf(rig.take(welcome('tail'), from(11, 12))), ['joined', 'records 11,12'])
})

t.test('a welcome to a join from before the link was lost is ignored', async t => {
  const rig = live()
  rig.upstream.detach()
  t.same(rig.take(welcome('tail')), [])
  t.equal(rig.upstream.channel, undefined)
})

t.test('pieces may come in any order, and twice', async t => {
  const [first, ...rest] = snapshotFrames(head, 300_000)
  t.ok(rest.length > 3)
  const rig = new Rig()
  rig.attach()
  if (first === undefined) return
  const events = rig.take(welcome(), first, ...rest.toReversed(), ...rest)
  t.same(kindsOf(events), ['reset', 'joined'])
})

t.test('a damaged piece is asked for again once, then the stream starts anew', async t => {
  const { manifest, pieces } = snapshotAt(head, 200_000)
  const rig = new Rig()
  rig.attach()
  const bad = piece(1, new Uint8Array(10))
  rig.take(welcome(), begin(manifest), piece(0, pieces[0]), bad)
  t.match(rig.sent(), [{ kind: 'request-pieces', channel: 7, indexes: [1] }])
  t.same(kindsOf(rig.take(bad)), ['resync piece'])
  t.match(rig.sent(), [{ kind: 'join', have: undefined }])
})

t.test('a damaged piece that comes good completes the snapshot', async t => {
  const { manifest, pieces } = snapshotAt(head)
  const rig = new Rig()
  rig.attach()
  const events = rig.take(
    welcome(),
    begin(manifest),
    piece(0, new Uint8Array(9)),
    piece(0, pieces[0]),
  )
  t.same(kindsOf(events), ['reset', 'joined'])
})

t.test('a snapshot as large as the limit is taken, one byte more is refused for good', async t => {
  const bytes = snapshotAt(head).pieces.reduce((sum, piece) => sum + piece.length, 0)
  const fits = new Rig({ snapshotBytesMax: bytes })
  fits.attach()
  t.same(kindsOf(fits.take(welcome(), ...snapshotFrames(head))), ['reset', 'joined'])
  const tooLarge = new Rig({ snapshotBytesMax: bytes - 1 })
  tooLarge.attach()
  tooLarge.sent()
  t.match(tooLarge.take(welcome(), ...snapshotFrames(head)), [
    { kind: 'refused', code: 'FANFOLD_TOO_LARGE', final: true },
  ])
  t.match(tooLarge.sent(), [{ kind: 'leave', doc }], 'the parent is told to stop')
  t.equal(tooLarge.waitMs, undefined)
})

t.test('a gap asks at once with what is held, and again only after a wait', async t => {
  const rig = live()
  t.same(kindsOf(rig.take(from(12, 13))), ['resync gap'])
  t.match(rig.sent(), [{ kind: 'join', have: head }])
  let waits = 0
  for (const max of [100, 200, 400, 800, 1_000, 1_000]) {
    t.same(kindsOf(rig.take(welcome('tail'), from(12, 13))), ['joined', 'resync gap'])
    t.same(rig.sent(), [])
    t.ok(rig.upstream.isWaiting)
    const wait = rig.waitMs ?? 0
    t.ok(wait >= max / 2 && wait <= max, `waited ${wait} of ${max} ms`)
    t.same(rig.pass(wait - 1), [])
    t.same(rig.sent(), [])
    rig.pass(1)
    t.match(rig.sent(), [{ kind: 'join', have: head }])
    waits++
  }
  t.equal(waits, 6)
  t.same(kindsOf(rig.take(welcome('tail'), from(11, 13))), ['joined', 'records 11,12,13'])
  t.same(kindsOf(rig.take(from(20, 20))), ['resync gap'])
  t.match(rig.sent(), [{ kind: 'join', have: after(log[12]) }], 'past the trouble: at once again')
})

t.test('records before a gap are handed on', async t => {
  const rig = live()
  t.same(kindsOf(rig.take(records(log[10], log[12]))), ['records 11', 'resync gap'])
  t.match(rig.sent(), [{ kind: 'join', have: after(log[10]) }])
})

t.test('a record with any bit turned over is never handed on, and asks for a snapshot', async t => {
  const record = log[10]
  if (record === undefined) return
  let tried = 0
  for (let bit = 0; bit < record.bytes.length * 8; bit++) {
    let bad: LogRecord
    try {
      bad = damaged(record, bit)
    } catch {
      continue
    }
    const rig = live()
    const events = kindsOf(rig.take(records(bad)))
    const joins = rig.sent()
    const isSeq = bad.seq !== record.seq
    const ok = events.every(kind => kind.startsWith('resync')) && rig.upstream.position.seq === 10
    if (!ok) t.fail(`bit ${bit}: ${events}`)
    if (!isSeq) {
      if (events[0] !== 'resync hash') t.fail(`bit ${bit}: ${events}`)
      if (joins[0]?.kind !== 'join' || joins[0].have !== undefined) t.fail(`bit ${bit}: have`)
    }
    tried++
  }
  t.ok(tried > 500, `${tried} bits`)
})

t.test('a record damaged for good at the parent does not make a storm of snapshots', async t => {
  const rig = live()
  const bad = damaged(log[11] ?? recordsOf(1)[0] ?? fail(), 33 * 8)
  const tries = [rig.take(from(11, 11), records(bad))]
  t.match(rig.sent(), [{ kind: 'join', have: undefined }])
  for (let round = 0; round < 3; round++) {
    tries.push(rig.take(welcome(), ...snapshotFrames(head), from(11, 11), records(bad)))
    t.same(rig.sent(), [], 'the same place again: it waits')
    rig.pass(rig.waitMs ?? 0)
    t.match(rig.sent(), [{ kind: 'join', have: undefined }])
  }
  t.ok(tries.every(events => kindsOf(events).at(-1) === 'resync hash'))
})

t.test('records that were sent twice are dropped, wherever they stand', async t => {
  const rig = live()
  t.same(kindsOf(rig.take(from(8, 11))), ['records 11'])
  t.same(kindsOf(rig.take(from(8, 11))), [])
  const mixed = records(log[11], log[12], log[11], log[9], log[13])
  t.same(kindsOf(rig.take(mixed)), ['records 12,13,14'])
  t.same(rig.upstream.position, after(log[13]))
})

t.test('a record of another document, or of an older epoch, is not handed on', async t => {
  const other = buildLog({ doc: parseDocumentKey('acme/match/semis'), count: 1, after: head })
  const older = buildLog({ doc, count: 1, epoch: 0, after: head })
  for (const wrong of [other, older]) {
    const rig = live()
    t.same(kindsOf(rig.take(records(...wrong.records))), ['resync hash'])
    t.same(rig.upstream.position, head)
  }
})

t.test('a record of a later epoch goes on', async t => {
  const later = buildLog({ doc, count: 2, epoch: 4, after: head })
  const rig = live()
  t.same(kindsOf(rig.take(records(...later.records))), ['records 11,12'])
  t.match(rig.upstream.position, { epoch: 4, seq: 12 })
})

t.test('an answer that does not come makes it join again, later each time', async t => {
  const rig = new Rig()
  rig.attach()
  t.equal(rig.waitMs, 2_000)
  t.same(rig.pass(1_999), [])
  t.same(kindsOf(rig.pass(1)), ['resync silence'])
  t.match(rig.sent(), [{ kind: 'join' }])
  t.same(kindsOf(rig.pass(2_000)), ['resync silence'])
  t.same(rig.sent(), [], 'the second time waits')
  rig.pass(rig.waitMs ?? 0)
  t.match(rig.sent(), [{ kind: 'join' }])
})

t.test('a snapshot whose pieces stop coming is asked for again', async t => {
  const [first, second] = snapshotFrames(head, 300_000)
  const rig = new Rig()
  rig.attach()
  if (first === undefined || second === undefined) return
  rig.take(welcome(), first)
  rig.pass(1_999)
  rig.take(second)
  t.same(rig.pass(1_999), [], 'each piece gives the next one its time')
  t.same(kindsOf(rig.pass(1)), ['resync silence'])
})

t.test('refused with a code that may pass, it asks again; for good, it does not', async t => {
  const rig = new Rig()
  rig.attach()
  t.match(rig.take(refused('FANFOLD_NO_PARENT', 700)), [{ kind: 'refused', final: false }])
  t.equal(rig.waitMs, 700, 'the parent asked for longer than the backoff')
  rig.sent()
  rig.pass(700)
  t.match(rig.sent(), [{ kind: 'join' }])
  t.match(rig.take(refused('FANFOLD_NO_PARENT', 4_000_000_000)), [{ kind: 'refused' }])
  t.equal(rig.waitMs, 30_000, 'but not for ever')
  rig.pass(30_000)
  t.match(rig.take(refused('FANFOLD_DELETED')), [{ kind: 'refused', final: true }])
  t.equal(rig.waitMs, undefined)
  t.same(rig.take(welcome(), refused('FANFOLD_DELETED')), [])
})

t.test('a document that does not exist yet is asked for again', async t => {
  const rig = new Rig()
  rig.attach()
  t.match(rig.take(refused('FANFOLD_NO_DOCUMENT')), [{ kind: 'refused', final: false }])
  t.ok(rig.upstream.isWaiting)
})

t.test('an end from the parent is a refusal', async t => {
  const ended = (code: 'FANFOLD_FENCED' | 'FANFOLD_LOG_DAMAGED'): LinkFrame => ({
    kind: 'ended',
    channel: 7,
    code,
    message: 'over',
  })
  t.match(live().take(ended('FANFOLD_FENCED')), [{ kind: 'refused', final: false }])
  t.match(live().take(ended('FANFOLD_LOG_DAMAGED')), [{ kind: 'refused', final: true }])
})

t.test('leaving tells the parent, but one that has refused needs no telling', async t => {
  const rig = live()
  t.match(rig.leave(), [{ kind: 'leave', doc }])
  t.same(rig.leave(), [])
  const told = new Rig()
  told.attach()
  told.take(refused('FANFOLD_DELETED'))
  t.same(told.leave(), [])
})

t.test('a snapshot that was not asked for takes the place of what is held', async t => {
  const rig = live()
  const later = after(log[29])
  t.same(kindsOf(rig.take(...snapshotFrames(later), from(31, 31))), [
    'reset',
    'joined',
    'records 31',
  ])
})

t.test('a snapshot that is behind what is held is not taken; one of a later epoch is', async t => {
  for (const position of [after(log[7]), { ...after(log[20]), epoch: 0 }]) {
    const rig = live()
    t.same(kindsOf(rig.take(...snapshotFrames(position))), ['resync gap'])
    t.match(rig.sent(), [{ kind: 'join', have: head }])
  }
  const rig = live()
  t.same(kindsOf(rig.take(...snapshotFrames({ ...after(log[7]), epoch: 2 }))), ['reset', 'joined'])
  t.match(rig.upstream.position, { epoch: 2, seq: 8 })
})

t.test('restarted, the stream fetches everything again, once', async t => {
  const rig = live()
  t.same(kindsOf(rig.restart()), ['resync broken'])
  t.match(rig.sent(), [{ kind: 'join', have: undefined }])
  t.same(rig.restart(), [])
  t.same(rig.take(welcome('tail')), [], 'a tail would follow nothing')
  rig.take(welcome(), ...snapshotFrames(head))
  t.same(rig.upstream.position, head)
})

t.test('restarted without a link, it joins without have when there is one', async t => {
  const rig = live()
  rig.upstream.detach()
  t.same(kindsOf(rig.restart()), ['resync broken'])
  t.match(rig.attach(), [{ kind: 'join', have: undefined }])
})

t.test('a second welcome begins anew: tail, or snapshot', async t => {
  const rig = live()
  t.same(kindsOf(rig.take(welcome('tail'), from(11, 11))), ['joined', 'records 11'])
  t.same(kindsOf(rig.take(welcome(), ...snapshotFrames(after(log[14])))), ['reset', 'joined'])
})

t.test("the parent's staleness is passed on", async t => {
  const status: LinkFrame = { kind: 'status', channel: 7, stale: true, ageMs: 40 }
  t.same(live().take(status), [{ kind: 'stale', stale: true, ageMs: 40 }])
})

t.test('credit goes back by the half, to the byte, repeated records included', async t => {
  const bytes = log[10]?.bytes.length ?? 0
  const rig = live({ creditBytes: 6 * bytes })
  rig.take(from(11, 12))
  t.same(rig.sent(), [])
  rig.take(from(12, 13))
  t.same(rig.sent(), [{ kind: 'credit', channel: 7, bytes: 4 * bytes }])
})

t.test('whatever frames come, what the parent may send and what was taken agree', async t => {
  const creditBytes = 3_000
  const step = fc.oneof(
    fc.record({ first: fc.nat(40), count: fc.integer({ min: 1, max: 9 }) }),
    fc.constantFrom('tail', 'snapshot', 'gap', 'wait'),
  )
  const holds = fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const rig = live({ creditBytes })
    // The parent's view: what it may still send after its last welcome.
    let credit = creditBytes
    let taken = 0
    const settle = (): boolean => {
      for (const frame of rig.sent()) {
        if (frame.kind !== 'credit') continue
        credit += frame.bytes
        taken -= frame.bytes
      }
      return credit + taken === creditBytes && taken < creditBytes / 2 && taken >= 0
    }
    for (const step of steps) {
      if (step === 'wait') rig.pass(1_000)
      else if (step === 'gap') rig.take(from(60, 60))
      else if (step === 'tail' || step === 'snapshot') {
        const answer = step === 'tail' ? [welcome('tail')] : [welcome(), ...snapshotFrames(head)]
        if (rig.upstream.isWaiting) continue
        rig.take(...answer)
        credit = creditBytes
        taken = 0
      } else if (rig.upstream.isLive) {
        const { seq } = rig.upstream.position
        const list = log.slice(Math.min(step.first, seq), seq + step.count)
        const bytes = list.reduce((sum, record) => sum + record.bytes.length, 0)
        rig.take(records(...list))
        credit -= bytes
        taken += bytes
      }
      if (rig.upstream.isLive && !settle()) return false
      if (!rig.upstream.isLive) rig.sent()
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(holds))
})

function fail(): never {
  throw new Error('the log has records')
}
