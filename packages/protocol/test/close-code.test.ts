import t from 'tap'
import { type CloseName, closeCodes, closeReasonOf, mayReconnect } from '../src/close-code.ts'

const rows = Object.entries(closeCodes)

await t.test('no two rows have the same code', async t => {
  t.equal(new Set(rows.map(([, { code }]) => code)).size, rows.length)
})

await t.test('the range says whether to connect again, for every row', async t => {
  for (const [name, { code, reconnect }] of rows) {
    const inRange = code === 1012 || (code >= 4000 && code <= 4999)
    t.ok(inRange, `${name} is 1012 or one of 4000 to 4999`)
    t.equal(reconnect, code < 4500, `${name} ${code}`)
    t.equal(mayReconnect(code), reconnect, `${name} ${code} by the function`)
  }
})

await t.test('4499 may connect again, 4500 to 4999 not, 5000 and all others may', async t => {
  t.ok(mayReconnect(4499))
  t.notOk(mayReconnect(4500))
  t.notOk(mayReconnect(4999))
  t.ok(mayReconnect(5000))
  for (const code of [1000, 1001, 1006, 1011, 3000]) t.ok(mayReconnect(code), `${code}`)
})

await t.test('a name finds its row, and every row says what it means', async t => {
  for (const [name, row] of rows) {
    t.equal(closeReasonOf(name as CloseName), row)
    t.match(row.meaning, /^[a-z].{10,}[^.]$/)
  }
})
