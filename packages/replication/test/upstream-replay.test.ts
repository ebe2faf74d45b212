import { buildLog } from '@fanfold/conformance'
import type { ErrorCode, LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { after, damaged, doc, link, recordsOf } from './build-stream.ts'
import { labelled } from './labelled-log.ts'
import {
  from,
  head,
  kindsOf,
  live,
  log,
  Rig,
  records,
  refused,
  rungsOf,
  welcome,
} from './upstream-rig.ts'

const replay = (first: number, last: number, ceiling = 239): LinkFrame => ({
  kind: 'replay',
  replay: 1,
  ceiling,
  records: log.slice(first - 1, last),
})

const ended = (code?: ErrorCode, retryAfterMs = 0): LinkFrame => ({
  kind: 'replay-ended',
  replay: 1,
  code,
  message: '',
  retryAfterMs,
})

/** A rig that does without snapshots. */
const tailOnly = (): Rig => new Rig({}, { isSnapshotDisabled: true })

/** After which seq the log is asked for next. */
function askedFrom(rig: Rig): number {
  const isReplay = (frame: LinkFrame) => frame.kind === 'request-replay'
  let request = rig.sent().find(isReplay)
  if (request === undefined) {
    rig.pass(rig.waitMs ?? 0)
    request = rig.sent().find(isReplay)
  }
  return request?.kind === 'request-replay' ? (request.have?.seq ?? 0) : -1
}

/** A rig that does without snapshots and is asked for nothing yet but the log. */
function replaying(): Rig {
  const rig = tailOnly()
  rig.attach()
  rig.take(refused('FANFOLD_NO_TAIL'))
  rig.sent()
  return rig
}

t.test(
  'without snapshots the tail is asked for, and the log where it is not to be had',
  async t => {
    const rig = tailOnly()
    t.match(rig.attach(), [{ kind: 'join', have: undefined, take: 'tail' }])
    t.same(rig.take(refused('FANFOLD_NO_TAIL')), [], 'which is no refusal')
    t.match(rig.sent(), [{ kind: 'request-replay', doc, have: undefined, credit: 1_048_576 }])
    t.ok(rig.upstream.isReplaying)
    t.same(kindsOf(rig.take(replay(1, 20), replay(21, 40))), [
      'replay-began',
      `records ${log.slice(0, 20).map(({ seq }) => seq)}`,
      `records ${log.slice(20, 40).map(({ seq }) => seq)}`,
    ])
    t.same(kindsOf(rig.take(ended())), ['replayed'])
    t.match(rig.sent(), [{ kind: 'join', have: after(log[39]), take: 'tail' }])
    const events = rig.take(welcome('tail', after(log[40])), from(41, 41))
    t.same(kindsOf(events), ['joined', 'records 41'])
    t.same(rungsOf(events), ['replay'])
  },
)

t.test('what is held is gone on from', async t => {
  const rig = live({}, { isSnapshotDisabled: true })
  rig.upstream.detach()
  rig.attach()
  rig.take(refused('FANFOLD_NO_TAIL'))
  t.match(rig.sent(), [{ kind: 'request-replay', have: head }])
  t.same(kindsOf(rig.take(replay(11, 12), ended())), ['records 11,12'], 'and not kept apart')
})

t.test('a log that has lost what is held is replayed from its first record', async t => {
  const rig = live({}, { isSnapshotDisabled: true })
  rig.upstream.detach()
  rig.attach()
  rig.take(refused('FANFOLD_NO_TAIL'))
  for (let count = 0; count < 4; count++) {
    t.equal(askedFrom(rig), head.seq)
    rig.take(ended())
    t.match(rig.sent(), [{ kind: 'join', have: head, take: 'tail' }])
    rig.take(refused('FANFOLD_NO_TAIL'))
  }
  t.equal(askedFrom(rig), 0, 'it may be another one')
  const others = buildLog({ doc, count: 12, seed: 'another', epoch: 2 }).records
  const frame: LinkFrame = { kind: 'replay', replay: 1, ceiling: 239, records: others }
  const events = rig.take(frame, ended())
  t.same(kindsOf(events).at(-1), 'replayed')
  t.match(rig.sent(), [{ kind: 'join', have: after(others[11]), take: 'tail' }])
})

t.test('what the whole log confirms is not doubted again', async t => {
  const rig = live({}, { isSnapshotDisabled: true })
  rig.upstream.detach()
  rig.attach()
  rig.take(refused('FANFOLD_NO_TAIL'))
  const asked: number[] = []
  for (let count = 0; count < 12; count++) {
    const have = askedFrom(rig)
    asked.push(have)
    if (have === 0) rig.take(replay(1, 10))
    rig.take(ended())
    rig.sent()
    rig.take(refused('FANFOLD_NO_TAIL'))
  }
  t.equal(asked.length, 12)
  t.equal(asked.filter(seq => seq === 0).length, 1, 'a parent may be behind for long')
})

t.test('what was kept elsewhere is gone on from, under the ceiling that it came under', async t => {
  const rig = new Rig({}, { isSnapshotDisabled: true })
  const [first, second] = labelled.records
  rig.upstream.resumeFrom(after(first), 255)
  rig.attach()
  rig.take(refused('FANFOLD_NO_TAIL'))
  t.match(rig.sent(), [{ kind: 'request-replay', have: after(first) }])
  const list = second === undefined ? [] : [second]
  t.same(kindsOf(rig.take({ kind: 'replay', replay: 1, ceiling: 255, records: list })), [
    'records 2',
  ])
})

t.test('a replay is credited by the bytes taken', async t => {
  const bytes = log[1]?.bytes.length ?? 0
  const rig = new Rig({ creditBytes: 4 * bytes }, { isSnapshotDisabled: true })
  rig.attach()
  rig.take(refused('FANFOLD_NO_TAIL'))
  rig.sent()
  rig.take({ kind: 'replay', replay: 1, ceiling: 239, records: log.slice(0, 1) })
  rig.take({ kind: 'replay', replay: 1, ceiling: 239, records: log.slice(1, 3) })
  t.match(rig.sent(), [{ kind: 'replay-credit', replay: 1 }])
  rig.holdCredit(true)
  rig.take(replay(4, 8))
  t.same(rig.sent(), [])
  t.equal(rig.waitMs, undefined, 'what does not come for want of credit is not late')
  rig.holdCredit(false)
  t.same(rig.sent(), [{ kind: 'replay-credit', replay: 1, bytes: 5 * bytes }])
  t.equal(rig.waitMs, 2_000)
})

t.test('a link that is lost midway is no loss: the next one resumes where it was', async t => {
  const rig = replaying()
  rig.take(replay(1, 20))
  rig.upstream.detach()
  t.match(rig.attach(link(2)), [{ kind: 'request-replay', have: after(log[19]) }])
  t.same(kindsOf(rig.take(replay(21, 30), ended())), [
    `records ${log.slice(20, 30).map(({ seq }) => seq)}`,
    'replayed',
  ])
})

t.test('a replay that falls silent is asked for again from where it is', async t => {
  const rig = replaying()
  rig.take(replay(1, 20))
  t.same(kindsOf(rig.pass(2_000)), ['resync silence'])
  t.match(rig.sent(), [{ kind: 'leave-replay' }, { kind: 'request-replay', have: after(log[19]) }])
})

t.test('a replay that is refused is asked for again, after a wait', async t => {
  const rig = replaying()
  t.match(rig.take(ended('FANFOLD_OVERLOADED', 700)), [{ kind: 'refused', final: false }])
  t.equal(rig.waitMs, 700)
  rig.pass(700)
  t.match(rig.sent(), [{ kind: 'request-replay' }])
  rig.take(ended('FANFOLD_LOG_DAMAGED'))
  rig.pass(rig.waitMs ?? 0)
  t.match(rig.sent(), [{ kind: 'join' }], 'what no log gives a parent may')
})

t.test('a replayed record that does not verify is not handed on', async t => {
  const rig = replaying()
  const frame: LinkFrame = {
    kind: 'replay',
    replay: 1,
    ceiling: 239,
    records: [...log.slice(0, 4), damaged(log[4] ?? never(), 8)],
  }
  t.same(kindsOf(rig.take(frame)), ['replay-began', 'records 1,2,3,4', 'resync hash'])
  t.match(
    rig.sent(),
    [{ kind: 'leave-replay' }, { kind: 'request-replay', have: after(log[3]) }],
    'what verified stays',
  )
})

t.test('another history than the one that is replayed is not handed on', async t => {
  const rig = replaying()
  rig.take(replay(1, 4))
  const others = recordsOf(6, 'another').slice(4)
  t.same(kindsOf(rig.take({ kind: 'replay', replay: 1, ceiling: 239, records: others })), [
    'resync hash',
  ])
})

t.test('under another ceiling a replay begins anew', async t => {
  const rig = replaying()
  rig.take(replay(1, 4))
  t.same(kindsOf(rig.take(replay(5, 6, 3))), ['resync ceiling'])
  t.match(rig.sent(), [{ kind: 'leave-replay' }, { kind: 'request-replay', have: undefined }])
  t.same(kindsOf(rig.take(replay(1, 2, 3), ended())), ['replay-began', 'records 1,2', 'replayed'])
  t.equal(rig.upstream.ceiling, 3)
})

t.test('a replay that leaves records out is asked for again from where it is', async t => {
  const rig = replaying()
  t.same(kindsOf(rig.take(replay(1, 3), replay(2, 5))), [
    'replay-began',
    'records 1,2,3',
    'records 4,5',
  ])
  t.same(kindsOf(rig.take(replay(8, 9))), ['resync gap'])
  t.match(rig.sent(), [{ kind: 'leave-replay' }, { kind: 'request-replay', have: after(log[4]) }])
})

t.test(
  'a log from its first record takes the place of what is shown when it is no older',
  async t => {
    let remedy: 'here' | 'replay' = 'here'
    const rig = live({}, { repair: () => remedy })
    rig.take(from(11, 20))
    remedy = 'replay'
    t.same(kindsOf(rig.take(records(damaged(log[20] ?? never(), 8)))), ['resync hash'])
    t.match(rig.sent(), [{ kind: 'request-replay', have: undefined }])
    const events = rig.take(replay(1, 15), ended())
    t.same(
      kindsOf(events).filter(kind => kind === 'replayed'),
      [],
      'not yet',
    )
    t.match(rig.sent(), [{ kind: 'join', have: after(log[14]), take: 'tail' }])
    t.same(kindsOf(rig.take(welcome('tail', after(log[21])), from(16, 19), from(20, 22))), [
      'joined',
      'records 16,17,18,19',
      'records 20,21,22',
      'replayed',
    ])
  },
)

t.test('who leaves a replay says so', async t => {
  const frames = replaying().leave()
  t.same(
    frames.map(({ kind }) => kind),
    ['leave-replay', 'leave'],
    'its join was refused for now, and is over too',
  )
})

t.test('frames of a replay that nobody asked for are nothing', async t => {
  t.same(live().take(replay(11, 12), ended()), [])
})

function never(): never {
  throw new Error('the log has records')
}

t.test('a log that the parent cannot have is asked of another one, if there is one', async t => {
  for (const isOther of [true, false]) {
    const overrides = { isSnapshotDisabled: true, isRouted: true } as const
    const rig = new Rig({}, { ...overrides, repair: () => (isOther ? 'elsewhere' : 'here') })
    rig.attach()
    rig.take(refused('FANFOLD_NO_TAIL'))
    rig.sent()
    t.match(rig.take(ended('FANFOLD_NO_PARENT', 250)), [{ kind: 'refused', final: false }])
    t.equal(rig.upstream.link, isOther ? undefined : link(1))
    t.match(rig.sent(), isOther ? [{ kind: 'leave' }] : [])
    if (isOther) t.match(rig.attach(link(2)), [{ kind: 'join', take: 'tail' }], 'and joined first')
    else t.ok((rig.waitMs ?? 0) >= 250, 'or again later')
  }
})

t.test(
  'a log that is all here, and whose end was never said, is shown when a parent has no more',
  async t => {
    const rig = new Rig({}, { isSnapshotDisabled: true, isRouted: true, repair: () => 'elsewhere' })
    rig.attach()
    rig.take(refused('FANFOLD_NO_TAIL'), replay(1, 20), ended('FANFOLD_NO_PARENT'))
    rig.sent()
    t.match(rig.attach(link(2)), [{ kind: 'join', have: after(log[19]) }])
    const events = rig.take(welcome('tail', after(log[19])))
    t.same(kindsOf(events), ['replayed', 'joined'])
  },
)
