import t from 'tap'
import { type ViewEvent, type ViewedLog, ViewJudge } from '../../src/judge/view-judge.ts'

const doc = 'a/ledger/1'
const hashAt = (seq: number, audience: string): string =>
  // The fourth record changes nothing for those who see little.
  audience === 'all' ? `all-${seq}` : `few-${seq === 4 ? 3 : seq}`
/** Four records, the last two of epoch 2. */
const log: ViewedLog = {
  headSeq: () => 4,
  epochAt: (_, seq) => [undefined, 1, 1, 2, 2][seq],
  hashAt: (_, seq, audience) => hashAt(seq, audience),
}
const unreadLog: ViewedLog = { ...log, hashAt: () => undefined }

function event(fields: Partial<ViewEvent> & { readonly seq: number }): ViewEvent {
  const { seq, audience = 'all', kind = 'delta' } = fields
  return {
    kind,
    viewer: 'v1',
    doc,
    audience,
    epoch: log.epochAt(doc, seq) ?? 1,
    from: kind === 'delta' ? seq - 1 : 0,
    hash: hashAt(seq, audience),
    ...fields,
  }
}

const few = { viewer: 'v2', audience: 'few' } as const
const right: readonly ViewEvent[] = [
  event({ kind: 'snapshot', seq: 1 }),
  event({ kind: 'snapshot', seq: 2, ...few }),
  event({ seq: 2 }),
  event({ seq: 4, from: 2 }),
  event({ seq: 3, ...few }),
  // It is told again what it shows, after it was connected anew.
  event({ kind: 'snapshot', seq: 4 }),
  event({ kind: 'end', seq: 4 }),
  event({ kind: 'end', seq: 3, ...few }),
]
const none = { wentBack: 0, gaps: 0, phantoms: 0, different: 0, behind: 0 }

function judge(history: readonly ViewEvent[], of = log) {
  const views = new ViewJudge(of)
  for (const one of history) views.take(one)
  return views.verdict()
}

/** The right history with one event in the place of another. */
const withEvent = (index: number, fields: Partial<ViewEvent>): readonly ViewEvent[] =>
  right.map((one, at) => (at === index ? { ...one, ...fields } : one))

t.test('views that the log makes are right, and are counted', async t => {
  const verdict = judge(right)
  t.same(verdict.problems, [])
  t.match(verdict, { faults: none, isRight: true, viewers: 2, snapshots: 3, deltas: 3 })
  t.match(judge(right.slice(0, -1), unreadLog), { faults: none, isRight: true })
})

t.test('a viewer never goes back', async t => {
  const back = [...right.slice(0, 5), event({ kind: 'snapshot', seq: 3 })]
  t.match(judge(back), { isRight: false, faults: { ...none, wentBack: 1 } })
  const epoch = [...right.slice(0, 5), event({ kind: 'snapshot', seq: 4, epoch: 1 })]
  t.match(judge(epoch), { isRight: false, faults: { wentBack: 1 } })
})

t.test('only a snapshot of a later epoch may be of an earlier seq', async t => {
  const log: ViewedLog = {
    headSeq: () => 3,
    epochAt: (_, seq) => (seq === 3 ? 3 : 1),
    hashAt: () => undefined,
  }
  const first = event({ kind: 'snapshot', seq: 4, epoch: 1 })
  const reset = event({ kind: 'snapshot', seq: 3, epoch: 3 })
  t.equal(judge([first, reset], log).faults.wentBack, 0)
  const delta = event({ kind: 'delta', from: 4, seq: 3, epoch: 3 })
  t.equal(judge([first, delta], log).faults.wentBack, 1)
})

t.test('a delta leads on, and not to where it came from', async t => {
  const still = [...right.slice(0, 3), event({ seq: 2, from: 2 })]
  t.match(judge(still), { isRight: false, faults: { ...none, wentBack: 1 } })
})

t.test('a delta goes on from what is shown', async t => {
  t.match(judge(withEvent(3, { from: 1 })), { isRight: false, faults: { ...none, gaps: 1 } })
  t.match(judge(withEvent(3, { from: 3 })), { isRight: false, faults: { ...none, gaps: 1 } })
  t.match(judge(right.slice(2, 3)), { isRight: false, faults: { ...none, gaps: 1 } })
})

t.test('nothing is shown that the final log does not have', async t => {
  const behindLog = [...right.slice(0, 6), event({ seq: 5, from: 4, epoch: 2 })]
  t.match(judge(behindLog), { isRight: false, faults: { ...none, phantoms: 1 } })
  const otherEpoch = withEvent(1, { epoch: 0 })
  t.match(judge(otherEpoch), { isRight: false, faults: { ...none, phantoms: 1 } })
})

t.test('each view is that of the log', async t => {
  for (const index of [0, 1, 2, 3, 4, 5]) {
    const verdict = judge(withEvent(index, { hash: 'another' }))
    t.match(verdict, { isRight: false, faults: { ...none, different: 1 } }, `event ${index}`)
  }
})

t.test('viewers of one audience see the same at the same place', async t => {
  const other = event({ kind: 'snapshot', viewer: 'v3', seq: 2, hash: 'another' })
  const verdict = judge([...right.slice(0, 6), other], unreadLog)
  t.match(verdict, { isRight: false, faults: { ...none, different: 1 } })
})

t.test('in the end all show what the head of the log makes', async t => {
  const behind = withEvent(6, { seq: 2, epoch: 1, hash: hashAt(2, 'all') })
  t.match(judge(behind), { isRight: false, faults: { ...none, behind: 1 } })
  t.match(judge(right, unreadLog), { isRight: false, faults: { ...none, behind: 1 } })
})
