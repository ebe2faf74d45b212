import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { LogRefusals, refusalFact } from '../src/log-refusals.ts'

const doc = parseDocumentKey('acme/match/final')
const refused = { kind: 'log-open-refused', doc, message: 'no' } as const

t.test('what the log refuses for now is a fact, and nothing else is', async t => {
  const unreadable = refusalFact({ ...refused, code: 'FANFOLD_LOG_UNREADABLE' })
  t.same(unreadable, { event: 'disk unreadable', reason: 'log-open-refused' })
  t.match(refusalFact({ ...refused, code: 'FANFOLD_LOG_FULL' }), { event: 'no room' })
  t.equal(refusalFact({ ...refused, code: 'FANFOLD_LOG_DAMAGED' }), undefined)
  t.equal(refusalFact({ kind: 'log-opened', doc, epoch: 1 }), undefined)
})

t.test('an authority may tell of each refusal once, by its code', async t => {
  const refusals = new LogRefusals()
  const told = { event: 'document-refused', code: 'FANFOLD_LOG_UNREADABLE' }
  t.notOk(refusals.explain(told))
  refusals.note({ event: 'disk unreadable', reason: 'log-open-refused' })
  t.notOk(refusals.explain({ event: 'log-full' }), 'that is want of room')
  t.notOk(refusals.explain({ ...told, event: 'document-quarantined' }))
  t.notOk(refusals.explain({ ...told, code: 'FANFOLD_LOG_DAMAGED' }))
  t.ok(refusals.explain(told))
  t.notOk(refusals.explain(told))
})
