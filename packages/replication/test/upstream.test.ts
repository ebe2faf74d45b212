import { buildLog } from '@fanfold/conformance'
import { type LinkFrame, parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { askingWindow } from '../src/asking-line.ts'
import { after, at, doc, link } from './build-stream.ts'
import {
  from,
  head,
  kindsOf,
  live,
  log,
  parent,
  Rig,
  records,
  refused,
  snapshotFrames,
  welcome,
} from './upstream-rig.ts'

t.test('a stream without state joins without have, with its credit', async t => {
  t.match(new Rig({ creditBytes: 5_000 }).attach(), [
    { kind: 'join', doc, have: undefined, credit: 5_000 },
  ])
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

t.test('records before a gap are handed on, those behind it are not', async t => {
  const rig = live()
  t.same(kindsOf(rig.take(records(log[10], log[12]))), ['records 11', 'resync gap'])
  t.match(rig.sent(), [{ kind: 'join', have: after(log[10]) }])
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
  t.equal(rig.waitMs, 4_000, 'each time it may take twice as long')
  t.same(kindsOf(rig.pass(4_000)), ['resync silence'])
  t.same(rig.sent(), [], 'the second time waits')
  rig.pass(rig.waitMs ?? 0)
  t.match(rig.sent(), [{ kind: 'join' }])
  for (const waitMs of [8_000, 16_000, 16_000]) {
    t.equal(rig.waitMs, waitMs)
    rig.pass(waitMs)
    rig.pass(rig.waitMs ?? 0)
  }
  rig.take(welcome(), ...snapshotFrames(head))
  rig.sent()
  rig.take(welcome())
  t.equal(rig.waitMs, 2_000, 'until one came')
})

t.test('a stream is not taken for silent while something comes over its link', async t => {
  const rig = new Rig()
  rig.attach()
  const patience = rig.node.asked.patience(parent)
  for (let ms = 0; ms < 15_000; ms += 1_000) {
    t.same(rig.pass(1_000), [], `after ${ms} ms`)
    patience.heard(at(rig.nowMs))
  }
  t.same(rig.sent(), [], 'it is asked for once')
  t.same(kindsOf(rig.pass(1_000)), ['resync silence'], 'for eight times as long')
  t.match(rig.sent(), [{ kind: 'join' }])
})

t.test('an answer that comes before it is asked for again counts', async t => {
  const rig = new Rig()
  rig.attach()
  rig.pass(2_000)
  rig.pass(4_000)
  t.ok(rig.upstream.isWaiting)
  rig.sent()
  t.same(kindsOf(rig.take(welcome(), ...snapshotFrames(head))), ['reset', 'joined'])
  t.equal(rig.waitMs, undefined)
  t.same(rig.sent(), [])
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

t.test(
  'a document that its parent has put aside is asked of another one, if there is one',
  async t => {
    for (const remedy of ['elsewhere', 'here'] as const) {
      const rig = new Rig({}, { repair: () => remedy })
      rig.attach()
      t.match(rig.take(refused('FANFOLD_SET_ASIDE', 700)), [{ kind: 'refused', final: false }])
      t.equal(rig.upstream.link, remedy === 'elsewhere' ? undefined : parent)
      t.equal(rig.upstream.isWaiting, remedy === 'here')
    }
  },
)

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

t.test("the parent's staleness is passed on", async t => {
  const status: LinkFrame = { kind: 'status', channel: 7, stale: true, ageMs: 40 }
  t.same(live().take(status), [{ kind: 'stale', stale: true, ageMs: 40 }])
})

t.test('a parent that sends far more than it was granted is none', async t => {
  const large = buildLog({ doc, count: 40, recordBytes: 100_000 }).records
  for (const isHeld of [false, true]) {
    const rig = new Rig({ creditBytes: 200_000 })
    rig.attach()
    const first = after(large[0])
    rig.take(welcome('snapshot', first), ...snapshotFrames(first))
    rig.holdCredit(isHeld)
    let taken = 0
    const flood = (): void => {
      for (const record of large.slice(1)) {
        rig.take(records(record))
        taken++
      }
    }
    if (isHeld) t.throws(flood, { code: 'FANFOLD_BAD_FRAME' })
    else t.doesNotThrow(flood, 'what is granted again may be sent again')
    t.ok(isHeld ? taken < 15 : taken === 39, `${taken} records of 100 kB`)
  }
})

t.test('a tail of before that is of no use costs a stream its turn to ask no more', async t => {
  const rig = new Rig()
  const others = Array.from({ length: askingWindow.first }, (_, index) =>
    parseDocumentKey(`acme/match/m${index}`),
  )
  for (const other of others) rig.node.asked.ask(parent, other, at(0))
  t.same(rig.attach(), [], 'the parent is asked for many others')
  t.ok(rig.upstream.isQueued)
  rig.take(welcome('tail'))
  t.ok(rig.upstream.isQueued)
  for (const other of others) rig.node.asked.answered(parent, other, at(1))
  t.same([...rig.node.asked.due(1)], [doc])
  t.match(rig.askNow(), [{ kind: 'join', have: undefined }])
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
