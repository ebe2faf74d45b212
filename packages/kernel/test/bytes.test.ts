import fc from 'fast-check'
import t from 'tap'
import { concatBytes, equalBytes, fromHex, toHex } from '../src/bytes.ts'

const bytes = fc.uint8Array({ maxLength: 100 })

await t.test('hexadecimal text goes there and back, for all byte values', async t => {
  const all = Uint8Array.from({ length: 256 }, (_, value) => value)
  t.same(fromHex(toHex(all)), all)
  t.equal(toHex(Uint8Array.of(0, 10, 255)), '000aff')
  const property = fc.property(
    bytes,
    data =>
      toHex(data) === Buffer.from(data).toString('hex') &&
      equalBytes(fromHex(toHex(data)) ?? new Uint8Array(1), data),
  )
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('what is not lower-case hexadecimal of whole bytes is not taken', async t => {
  for (const text of ['0', 'abc', 'zz', 'AB', '0x', ' 0', '00\n', '０0']) {
    t.equal(fromHex(text), undefined, JSON.stringify(text))
  }
  t.same(fromHex(''), new Uint8Array(0))
})

await t.test('bytes are equal exactly when length and every byte are', async t => {
  const property = fc.property(
    bytes,
    bytes,
    (a, b) => equalBytes(a, b) === (Buffer.compare(a, b) === 0) && equalBytes(a, a.slice()),
  )
  t.doesNotThrow(() => fc.assert(property))
  t.notOk(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)), 'a prefix is not equal')
  t.notOk(equalBytes(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 4)), 'the last byte counts')
})

await t.test('chunks are joined in order, into an array of its own', async t => {
  const property = fc.property(fc.array(bytes), chunks =>
    equalBytes(concatBytes(chunks), Buffer.concat(chunks)),
  )
  t.doesNotThrow(() => fc.assert(property))
  const chunk = Uint8Array.of(7)
  concatBytes([chunk])[0] = 8
  t.equal(chunk[0], 7)
})
