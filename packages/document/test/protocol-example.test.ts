/*
 * The worked example of docs/protocol.md: every value in its table is what the code computes.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@fanfold/kernel'
import { LogRecord, zeroHash } from '@fanfold/protocol'
import t from 'tap'
import { Chain } from '../src/chain.ts'
import { decodeSnapshot } from '../src/snapshot.ts'
import { sha256 } from './log-builder.ts'

const text = readFileSync(new URL('../../../../docs/protocol.md', import.meta.url), 'utf8')
const section = text.slice(text.indexOf('### Worked example'), text.indexOf('## 4. Snapshots'))
const values = new Map<string, string>()
for (const [, name = '', value = ''] of section.matchAll(/^\| (.+) \| `([0-9a-f]+)` \|$/gm)) {
  values.set(name, value)
}
const bytesOf = (name: string): Uint8Array => fromHex(values.get(name) ?? '') ?? new Uint8Array(0)
const hash = (...chunks: Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(chunks)).digest()

await t.test('the formulas give the values of the example', async t => {
  t.equal(values.size, 11)
  t.equal(hash(bytesOf('part 0')).toString('hex'), values.get('digest(0)'))
  t.equal(hash(bytesOf('part 1')).toString('hex'), values.get('digest(1)'))
  t.equal(hash(bytesOf('digest(1)'), zeroHash).toString('hex'), values.get('acc(1)'))
  t.equal(hash(bytesOf('digest(0)'), bytesOf('acc(1)')).toString('hex'), values.get('acc(0)'))
  const chain = hash(bytesOf('before'), bytesOf('header'), bytesOf('acc(0)'))
  t.equal(chain.toString('hex'), values.get('chain'))
})

await t.test('the record of the example is one, and verifies', async t => {
  const record = LogRecord.decode(bytesOf('record'))
  const chain = new Chain(sha256)
  t.ok(chain.verifies(record, bytesOf('before')))
  t.equal(toHex(record.header), values.get('header'))
  t.equal(toHex(record.chainHash), values.get('chain'))
  t.same(record.parts().map(toHex), [values.get('part 0'), values.get('part 1')])
  t.match(record, { kind: 'create', epoch: 1, seq: 1, timeMs: 1_731_931_200_123 })
})

await t.test('the projection of the example is the record’s, and verifies alike', async t => {
  const chain = new Chain(sha256)
  const projected = chain.project(LogRecord.decode(bytesOf('record')), 0)
  t.equal(toHex(projected.bytes), values.get('projected to ceiling 0'))
  t.equal(toHex(projected.rest), values.get('acc(1)'))
  t.ok(chain.verifies(projected, bytesOf('before')))
})

await t.test('the piece of the example gives a state', async t => {
  const piece = /^(\[\["".*\]\])$/m.exec(text)?.[1] ?? ''
  const entry = { tag: 0, bytes: piece.length, digest: hash(Buffer.from(piece)) }
  const at = { epoch: 1, seq: 1, hash: zeroHash }
  const snapshot = { manifest: { at, pieces: [entry] }, pieces: [Buffer.from(piece)] }
  t.same(decodeSnapshot(snapshot).state, { score: { home: 1 }, laps: [{ by: 'ada' }] })
})
