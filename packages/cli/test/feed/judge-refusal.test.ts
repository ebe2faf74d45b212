import { FanfoldError } from '@fanfold/client'
import t from 'tap'
import { judgeRefusal } from '../../src/feed/judge-refusal.ts'

await t.test('what the line says is its own fault, no room is nobody’s', async t => {
  t.equal(judgeRefusal(new FanfoldError('FANFOLD_INVALID_VALUE', 'x')), 'refused')
  t.equal(judgeRefusal(new FanfoldError('FANFOLD_HANDLER_FAILED', 'x')), 'refused')
  t.equal(judgeRefusal(new FanfoldError('FANFOLD_LOG_FULL', 'x')), 'later')
  t.equal(judgeRefusal(new FanfoldError('FANFOLD_BUSY', 'x')), 'later')
  t.equal(judgeRefusal(new FanfoldError('FANFOLD_FORBIDDEN', 'x')), 'fatal')
  t.equal(judgeRefusal(new FanfoldError('FANFOLD_CLOSED', 'x')), 'fatal')
  t.equal(judgeRefusal(new Error('x')), 'fatal')
})
