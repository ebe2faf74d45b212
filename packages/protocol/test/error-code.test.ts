import t from 'tap'
import { closeCodes } from '../src/close-code.ts'
import { type ErrorMeaning, errorCodes, isErrorCode, meaningOf } from '../src/error-code.ts'

const rows = Object.entries(errorCodes) as [keyof typeof errorCodes, ErrorMeaning][]

await t.test('every code is FANFOLD_ and capitals', async t => {
  for (const [code] of rows) t.match(code, /^FANFOLD_[A-Z]+(_[A-Z]+)*$/)
})

await t.test('every row has an HTTP status of its kind and a sentence', async t => {
  for (const [code, { status, meaning }] of rows) {
    t.ok(status === 307 || (status >= 400 && status < 600), `${code} ${status}`)
    t.match(meaning, /^[a-z].{10,}[^.]$/, code)
  }
})

await t.test('an error whose connection may come back by itself may be tried again', async t => {
  for (const [code, { retry, close }] of rows) {
    if (close === undefined) continue
    t.equal(retry, closeCodes[close].reconnect, `${code} closes with ${close}`)
  }
})

await t.test('only own codes are codes, not what every object inherits', async t => {
  for (const [code] of rows) t.ok(isErrorCode(code))
  for (const text of ['', 'fanfold_busy', 'toString', '__proto__', 'constructor']) {
    t.notOk(isErrorCode(text), text)
  }
  t.equal(meaningOf('FANFOLD_BUSY').status, 503)
})
