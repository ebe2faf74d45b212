import { createHash } from 'node:crypto'
import { toHex } from '@fanfold/kernel'
import { encodeRecord, LogRecord, parseDocumentKey, zeroHash } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { Chain } from '../src/chain.ts'
import { LogBuilder, sha256 } from './log-builder.ts'

const chain = new Chain(sha256)
const hash = (...chunks: Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(chunks)).digest()

/** A record of four parts: two labels, the crowd's and the authority's. */
function aRecord(): LogRecord {
  const log = new LogBuilder()
  return log.addParts('delta', [
    log.part(0, '[{"op":"add","path":"/a","value":1}]'),
    log.part(1, '[{"op":"add","path":"/secret","value":2}]'),
    log.part(240, '{}'),
    log.part(255, '{"id":"c1-17"}'),
  ])
}

const anyParts = fc.uniqueArray(
  fc.record({
    tag: fc.nat({ max: 255 }),
    salt: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    payload: fc.uint8Array({ maxLength: 200 }),
  }),
  { selector: ({ tag }) => tag, maxLength: 15 },
)
const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 })

/** The bytes of a record with these parts, not sealed yet. */
const unsealed = (parts: readonly { tag: number; salt: Uint8Array; payload: Uint8Array }[]) =>
  encodeRecord({
    kind: 'delta',
    key: parseDocumentKey('acme/match/final'),
    epoch: 3,
    seq: 7,
    timeMs: 1,
    trace: parts.length % 2 === 0 ? new Uint8Array(16) : undefined,
    parts: [...parts].sort((a, b) => a.tag - b.tag),
  })

await t.test('the chain hash is the one the formulas give', async t => {
  const property = fc.property(anyParts, anyHash, (parts, before) => {
    const record = chain.seal(unsealed(parts), before)
    let acc: Uint8Array = new Uint8Array(32)
    for (const part of record.parts().reverse()) acc = hash(hash(part), acc)
    return toHex(record.chainHash) === hash(before, record.header, acc).toString('hex')
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('a sealed record verifies behind its predecessor and behind no other', async t => {
  const property = fc.property(anyParts, anyHash, anyHash, (parts, before, other) => {
    const record = chain.seal(unsealed(parts), before)
    const isSame = Buffer.compare(before, other) === 0
    return chain.verifies(record, before) && (isSame || !chain.verifies(record, other))
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('each flipped bit, anywhere in a record, is refused', async t => {
  for (const record of [aRecord(), chain.project(aRecord(), 0)]) {
    let missed = 0
    for (let bit = 0; bit < record.bytes.length * 8; bit++) {
      const bytes = record.bytes.slice()
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      try {
        if (chain.verifies(LogRecord.decode(bytes), zeroHash)) missed++
      } catch (error) {
        if (!(error instanceof Error && error.name === 'ProtocolError')) throw error
      }
    }
    t.equal(missed, 0, `${record.bytes.length * 8} bits, ${record.partCount} parts`)
  }
})

await t.test('parts cut off, swapped or joined are refused', async t => {
  const property = fc.property(
    anyParts,
    anyHash,
    fc.nat(),
    fc.nat(),
    (parts, before, cut, grow) => {
      const record = chain.seal(unsealed(parts), before)
      const bytes = record.bytes.slice(0, record.bytes.length - (cut % record.bytes.length))
      bytes[0] = grow % 32
      if (Buffer.compare(bytes, record.bytes) === 0) return true
      try {
        return !chain.verifies(LogRecord.decode(bytes), before)
      } catch (error) {
        return error instanceof Error && error.name === 'ProtocolError'
      }
    },
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

await t.test('below every ceiling the record verifies with the same chain hash', async t => {
  const record = aRecord()
  for (let ceiling = 0; ceiling < 256; ceiling++) {
    const projected = chain.project(record, ceiling)
    const verifies =
      chain.verifies(projected, zeroHash) &&
      toHex(projected.chainHash) === toHex(record.chainHash) &&
      toHex(projected.header) === toHex(record.header)
    if (!verifies) t.fail(`ceiling ${ceiling}`)
  }
  t.equal(chain.project(record, 0).partCount, 1)
  t.equal(chain.project(record, 1).partCount, 2)
  t.equal(chain.project(record, 239).partCount, 2)
  t.equal(chain.project(record, 240).partCount, 3)
  t.equal(chain.project(record, 254).partCount, 3)
})

await t.test('projecting twice is projecting to the lower ceiling', async t => {
  const property = fc.property(
    anyParts,
    anyHash,
    fc.nat({ max: 255 }),
    fc.nat({ max: 255 }),
    (parts, before, first, second) => {
      const record = chain.seal(unsealed(parts), before)
      const twice = chain.project(chain.project(record, first), second)
      const once = chain.project(record, Math.min(first, second))
      return toHex(twice.bytes) === toHex(once.bytes) && chain.verifies(twice, before)
    },
  )
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('of what was dropped no byte is left, neither payload nor salt', async t => {
  const record = aRecord()
  const projected = Buffer.from(chain.project(record, 0).bytes)
  t.notOk(projected.includes('secret'))
  t.notOk(projected.includes('c1-17'))
  for (const part of record.parts().slice(1))
    t.notOk(projected.includes(Buffer.from(part.subarray(0, 16))))
  t.ok(projected.includes('/a'), 'what may be seen is there')
})

await t.test('a record that loses nothing is itself, with a rest of zeros', async t => {
  const record = aRecord()
  t.equal(chain.project(record, 255), record)
  t.same(new Uint8Array(record.rest), zeroHash)
})

await t.test('equal payloads under different salts leave different rests', async t => {
  const withSalt = (salt: number): LogRecord =>
    chain.seal(
      unsealed([
        { tag: 0, salt: new Uint8Array(16), payload: Buffer.from('[]') },
        { tag: 1, salt: new Uint8Array(16).fill(salt), payload: Buffer.from('[]') },
      ]),
      zeroHash,
    )
  const rests = new Set<string>()
  for (let salt = 0; salt < 100; salt++) rests.add(toHex(chain.project(withSalt(salt), 0).rest))
  t.equal(rests.size, 100)
})

await t.test('the largest header fits the scratch area', async t => {
  const longest = 'x'.repeat(80)
  const bytes = encodeRecord({
    kind: 'delta',
    key: parseDocumentKey(`${longest}/${longest}/${longest}`),
    epoch: 0xffff_ffff,
    seq: 2 ** 48 - 1,
    timeMs: 2 ** 48 - 1,
    trace: new Uint8Array(16).fill(255),
    parts: [],
  })
  const record = chain.seal(bytes, zeroHash)
  t.ok(chain.verifies(record, zeroHash))
  t.equal(
    toHex(record.chainHash),
    hash(zeroHash, record.header, new Uint8Array(32)).toString('hex'),
  )
})
