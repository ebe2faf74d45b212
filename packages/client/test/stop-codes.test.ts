import { closeCodes } from '@fanfold/protocol'
import t from 'tap'
import { stopCodes, unauthorizedCloseCode } from '../src/stop-codes.ts'

t.test('every close code that says stop has its error', t => {
  for (const { code, reconnect } of Object.values(closeCodes)) {
    const isKnown = code === unauthorizedCloseCode || stopCodes[code] !== undefined
    t.equal(isKnown, !reconnect, `${code}`)
  }
  t.end()
})
