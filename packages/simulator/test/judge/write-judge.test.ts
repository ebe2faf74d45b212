import t from 'tap'
import { type LoggedWrite, type WriteEvent, WriteJudge } from '../../src/judge/write-judge.ts'

const doc = 'a/ledger/1'
const invoke = (id: string): WriteEvent => ({ kind: 'invoke', doc, id, value: `value of ${id}` })
const ok = (id: string, seq: number, epoch = 1): WriteEvent => ({ kind: 'ok', doc, id, epoch, seq })
const fail = (id: string): WriteEvent => ({ kind: 'fail', doc, id, code: 'FANFOLD_LOG_FULL' })
const info = (id: string): WriteEvent => ({ kind: 'info', doc, id })
const logged = (id: string, seq: number, epoch = 1): LoggedWrite => ({
  doc,
  id,
  epoch,
  seq,
  value: `value of ${id}`,
})

/** One of each: acknowledged, refused, unknown and in, unknown and out, and sent twice. */
const events: readonly WriteEvent[] = [
  ...[invoke('acknowledged'), ok('acknowledged', 3)],
  ...[invoke('refused'), fail('refused')],
  ...[invoke('in'), info('in'), invoke('out'), info('out')],
  ...[invoke('again'), info('again'), invoke('again'), ok('again', 5, 2)],
  ...[invoke('refused later'), info('refused later')],
  ...[invoke('refused later'), fail('refused later')],
]
const log: readonly LoggedWrite[] = [
  logged('acknowledged', 3),
  logged('in', 4),
  logged('again', 5, 2),
  logged('refused later', 6, 2),
]
const none = { lost: 0, doubled: 0, altered: 0, misplaced: 0, refusedAndLogged: 0, foreign: 0 }

function judge(history: readonly WriteEvent[], records: readonly LoggedWrite[]) {
  const writes = new WriteJudge()
  for (const event of history) writes.take(event)
  for (const record of records) writes.takeLogged(record)
  return writes.verdict()
}

t.test('a history that the log agrees with is right, and its writes are counted', async t => {
  const verdict = judge(events, log)
  t.same(verdict.problems, [])
  t.match(verdict, { faults: none, isRight: true, writes: 6 })
  t.match(verdict, { acknowledged: 2, refused: 1, unknownIn: 2, unknownOut: 1 })
})

t.test('the log may be taken before the history', async t => {
  const writes = new WriteJudge()
  for (const record of log) writes.takeLogged(record)
  for (const event of events) writes.take(event)
  t.match(writes.verdict(), { faults: none, isRight: true })
})

const without = (id: string): readonly LoggedWrite[] => log.filter(one => one.id !== id)

t.test('an acknowledged write that the log lacks is lost', async t => {
  const verdict = judge(events, without('acknowledged'))
  t.match(verdict, { isRight: false, faults: { ...none, lost: 1 } })
  t.same(verdict.problems, ['lost: a/ledger/1 acknowledged was acknowledged at 1:3'])
})

t.test('one that was sent twice and answered once is lost too', async t => {
  t.match(judge(events, without('again')), { isRight: false, faults: { ...none, lost: 1 } })
})

t.test('no write is in the log twice, whatever was answered', async t => {
  for (const id of ['acknowledged', 'in', 'again']) {
    const verdict = judge(events, [...log, logged(id, 9, 2)])
    t.match(verdict, { isRight: false, faults: { ...none, doubled: 1 } }, id)
  }
})

t.test('no write is altered, also when it was not answered', async t => {
  for (const id of ['acknowledged', 'in', 'again']) {
    const altered = log.map(one => (one.id === id ? { ...one, value: 'another' } : one))
    t.match(judge(events, altered), { isRight: false, faults: { ...none, altered: 1 } }, id)
  }
})

t.test('a value that is not compared is not altered', async t => {
  const unread = log.map(one => ({ ...one, value: undefined }))
  t.match(judge(events, unread), { isRight: true })
})

t.test('a write is where its writer was told', async t => {
  for (const place of [{ seq: 2 }, { epoch: 2 }]) {
    const moved = log.map(one => (one.id === 'acknowledged' ? { ...one, ...place } : one))
    t.match(judge(events, moved), { isRight: false, faults: { ...none, misplaced: 1 } })
  }
})

t.test('who is answered twice is told the same place', async t => {
  const again = [...events, invoke('acknowledged'), ok('acknowledged', 3)]
  t.match(judge(again, log), { isRight: true })
  const elsewhere = [...events, invoke('acknowledged'), ok('acknowledged', 9)]
  t.match(judge(elsewhere, log), { isRight: false, faults: { ...none, misplaced: 1 } })
})

t.test('a refused write is not in the log', async t => {
  const verdict = judge(events, [...log, logged('refused', 7, 2)])
  t.match(verdict, { isRight: false, faults: { ...none, refusedAndLogged: 1 } })
})

t.test(
  'the log has nothing that nobody sent, and nothing is answered that was not sent',
  async t => {
    const stranger = judge(events, [...log, logged('stranger', 7, 2)])
    t.match(stranger, { isRight: false, faults: { ...none, foreign: 1 } })
    const answer = judge([...events, ok('stranger', 7, 2)], log)
    t.match(answer, { isRight: false, faults: { ...none, foreign: 1 } })
  },
)

t.test('of very many faults the first are told in words and all are counted', async t => {
  const ids = Array.from({ length: 1_000 }, (_, index) => `write-${index}`)
  const verdict = judge(
    ids.flatMap((id, index) => [invoke(id), ok(id, index + 1)]),
    [],
  )
  t.equal(verdict.faults.lost, 1_000)
  t.equal(verdict.problems.length, 20)
})
