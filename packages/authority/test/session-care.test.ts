import { instant } from '@fanfold/kernel'
import { crowdLimits } from '@fanfold/reduction'
import t from 'tap'
import { SessionCare } from '../src/session-care.ts'

const idleMs = 1_000
const at = (ms: number) => instant(ms * 1_000)

t.test('a session is idle when nothing was counted of it for so long, and not before', async t => {
  const care = new SessionCare(idleMs)
  t.equal(care.wakeAt(), undefined)
  care.note(7, at(0))
  t.equal(care.wakeAt(), at(idleMs))
  t.same(care.idle(at(idleMs - 1)), [])
  t.same(care.idle(at(idleMs)), [7])
})

t.test('what is counted of a session puts it behind the others', async t => {
  const care = new SessionCare(idleMs)
  care.note(7, at(0))
  care.note(8, at(10))
  care.note(7, at(20))
  t.equal(care.wakeAt(), at(idleMs + 10))
  t.same(care.idle(at(idleMs + 10)), [8])
  t.same(care.idle(at(idleMs + 20)), [8, 7])
})

t.test('a session that is sealed is looked after no more', async t => {
  const care = new SessionCare(idleMs)
  care.note(7, at(0))
  care.forget(7)
  t.equal(care.count, 0)
  t.equal(care.wakeAt(), undefined)
  t.same(care.idle(at(idleMs)), [])
})

t.test('where there are too many, those that were idle for longest make room', async t => {
  const care = new SessionCare(idleMs)
  const many = crowdLimits.sessionsMax - crowdLimits.sessionsSpare
  for (let session = 1; session <= many; session++) care.note(session, at(0))
  t.same(care.idle(at(1)), [])
  care.note(many + 1, at(1))
  care.note(many + 2, at(1))
  care.note(1, at(2))
  t.same(care.idle(at(2)), [2, 3])
  for (const session of care.idle(at(2))) care.forget(session)
  t.same(care.idle(at(2)), [])
})
