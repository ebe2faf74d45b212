import { type ErrorCode, errorCodes } from '@fanfold/protocol'
import t from 'tap'
import { isRetryCode } from '../src/retry-codes.ts'

t.test('the codes worth another attempt are those of the table of the protocol', t => {
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    t.equal(isRetryCode(code), errorCodes[code].retry, code)
  }
  t.equal(isRetryCode('FANFOLD_CLOSED'), false)
  t.equal(isRetryCode('toString'), false)
  t.end()
})
