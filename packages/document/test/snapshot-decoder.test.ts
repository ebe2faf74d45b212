import { partTags, zeroPosition } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import type { JsonObject } from '../src/json.ts'
import { recordedDefinition } from '../src/recorded-definition.ts'
import { decodeSnapshot, encodeSnapshot, type Snapshot } from '../src/snapshot.ts'
import { SnapshotDecoder } from '../src/snapshot-decoder.ts'
import { anyState } from './any-state.ts'
import { sha256 } from './log-builder.ts'

const definition = recordedDefinition({
  variants: [{ ceiling: 0, hash: 'ab'.repeat(32) }],
  viewKey: 'cd'.repeat(16),
  labels: [{ pattern: '/secret', label: 2 }],
})

const encode = (state: JsonObject | undefined, extra?: JsonObject): Snapshot =>
  encodeSnapshot({ at: zeroPosition, state, definition, ...(extra && { extra }), sha256 })

/** A state of some 20 pieces. */
const large = (): JsonObject => {
  const rows: JsonObject = {}
  for (let index = 0; index < 20_000; index++) rows[`row-${index}`] = { text: 'x'.repeat(50) }
  return { rows, secret: { ...rows } }
}

await t.test('in slices of any sizes a snapshot says what it says at once', async t => {
  const sizes = fc.array(fc.nat({ max: 200_000 }), { minLength: 1, maxLength: 5 })
  const property = fc.property(anyState, anyState, sizes, (state, secret, sizes) => {
    const snapshot = encode({ ...state, secret })
    const decoder = new SnapshotDecoder(snapshot)
    for (let step = 0; !decoder.step(sizes[step % sizes.length] as number); step++);
    return JSON.stringify(decoder.content) === JSON.stringify(decodeSnapshot(snapshot))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 100 }))
})

await t.test('a slice ends with the piece that fills it, and has one at least', async t => {
  const snapshot = encode(large())
  const count = snapshot.pieces.length
  t.ok(count > 20)
  const stepsOf = (bytesMax: number): number => {
    const decoder = new SnapshotDecoder(snapshot)
    let steps = 1
    while (!decoder.step(bytesMax)) steps++
    return steps
  }
  t.equal(stepsOf(0), count)
  t.equal(stepsOf(1), count)
  t.equal(stepsOf(70_000), Math.ceil(count / 2))
  t.equal(stepsOf(Number.POSITIVE_INFINITY), 1)
})

await t.test('what was read to its end stays as it is', async t => {
  const decoder = new SnapshotDecoder(encode({ n: 1 }))
  t.equal(decoder.step(1_000), true)
  const { content } = decoder
  t.equal(decoder.step(1), true)
  t.equal(decoder.content, content)
  t.same(content, { state: { n: 1 }, definition })
})

await t.test(
  'a snapshot without pieces is read at once, as a document that was deleted',
  async t => {
    const decoder = new SnapshotDecoder({ manifest: { at: zeroPosition, pieces: [] }, pieces: [] })
    t.equal(decoder.step(0), true)
    t.same(decoder.content, { state: undefined, definition: undefined })
  },
)

await t.test('pieces without a label are passed over, and count for nothing', async t => {
  const extra = { ids: Array.from({ length: 10_000 }, (_, index) => `id-${index}`) }
  const snapshot = encode({ n: 1 }, extra)
  t.ok(snapshot.manifest.pieces.filter(({ tag }) => tag === partTags.authority).length > 1)
  const decoder = new SnapshotDecoder(snapshot)
  t.equal(decoder.step(1_000), true)
  t.same(decoder.content.state, { n: 1 })
})

await t.test('a bad piece is refused when its turn comes', async t => {
  const snapshot = encode(large())
  const pieces = snapshot.pieces.with(5, Buffer.from('[["/nowhere/at/all",1]]'))
  const decoder = new SnapshotDecoder({ ...snapshot, pieces })
  for (let index = 0; index < 5; index++) t.equal(decoder.step(1), false)
  t.throws(() => decoder.step(1), { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' })
})

await t.test('a piece that is not there is refused', async t => {
  const { manifest, pieces } = encode(large())
  const decoder = new SnapshotDecoder({ manifest, pieces: pieces.slice(0, 1) })
  t.equal(decoder.step(1), false)
  t.throws(() => decoder.step(1), { code: 'FANFOLD_BAD_FRAME' })
})

await t.test('what it says is asked for when all is read, and not before', async t => {
  const decoder = new SnapshotDecoder(encode(large()))
  decoder.step(1)
  t.throws(() => decoder.content, { name: 'AssertionError' })
})
