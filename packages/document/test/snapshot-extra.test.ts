import { sha256 } from '@fanfold/conformance'
import fc from 'fast-check'
import t from 'tap'
import { forbiddenKeys, type JsonObject, jsonBytes, recordedDefinition } from '../src/index.ts'
import { decodeExtra, decodeSnapshot, encodeSnapshot } from '../src/snapshot.ts'
import { SnapshotDecoder } from '../src/snapshot-decoder.ts'
import { ExtraDecoder, ExtraEncoder, withExtra } from '../src/snapshot-extra.ts'

const at = { epoch: 2, seq: 17, hash: new Uint8Array(32).fill(7) }

t.test('what is added place by place comes back whole, in any slices', async t => {
  const encoder = new ExtraEncoder(sha256)
  encoder.add('', { ids: [], last: 5 })
  const rows = Array.from({ length: 500 }, (_, index) => [`id-${index}`, 'x'.repeat(700)])
  for (const [index, row] of rows.entries()) encoder.add(`/ids/${index}`, row)
  const state = { n: 1 }
  const bare = encodeSnapshot({ at, state, definition: undefined, sha256 })
  const snapshot = withExtra(bare, encoder.finish())
  t.ok(snapshot.pieces.length > 5)
  t.same(decodeSnapshot(snapshot).state, state)
  t.same(decodeExtra(snapshot), { ids: rows, last: 5 })
  const decoder = new ExtraDecoder(snapshot)
  let steps = 1
  while (!decoder.step(1)) steps++
  t.ok(steps >= snapshot.pieces.length - bare.pieces.length)
  t.same(decoder.extra, { ids: rows, last: 5 })
})

t.test('it is the same snapshot as one that is encoded at once', async t => {
  const extra = { ids: [['a', 1]], last: 5 }
  const encoder = new ExtraEncoder(sha256)
  encoder.add('', extra)
  const state = { n: 1 }
  const whole = encodeSnapshot({ at, state, definition: undefined, extra, sha256 })
  const bare = encodeSnapshot({ at, state, definition: undefined, sha256 })
  t.same(withExtra(bare, encoder.finish()), whole)
  t.equal(decodeExtra(bare), undefined)
})

t.test('the bytes of a state are counted while it is read', async t => {
  const value = fc.jsonValue({ maxDepth: 4 })
  const name = fc.string({ maxLength: 20 }).filter(name => !forbiddenKeys.has(name))
  const states = fc.dictionary(name, value, { maxKeys: 30 })
  fc.assert(
    fc.property(states, fc.boolean(), (members, isLong) => {
      const state = JSON.parse(
        JSON.stringify({ ...members, ...(isLong ? { rows: longRows() } : {}) }),
      ) as JsonObject
      const decoder = new SnapshotDecoder(
        encodeSnapshot({ at, state, definition: undefined, sha256 }),
        true,
      )
      while (!decoder.step(10_000));
      return decoder.stateBytes === jsonBytes(state)
    }),
    { numRuns: 100 },
  )
  const definition = recordedDefinition({
    variants: [{ ceiling: 0, hash: 'ab'.repeat(32) }],
    viewKey: '01'.repeat(16),
    labels: [{ pattern: '/rows/*/secret', label: 3 }],
  })
  const rows = Object.fromEntries(
    longRows().map((text, index) => [index, { secret: text, open: 1 }]),
  )
  const state = { rows }
  const decoder = new SnapshotDecoder(encodeSnapshot({ at, state, definition, sha256 }), true)
  while (!decoder.step(10_000));
  t.equal(decoder.stateBytes, jsonBytes(state))
})

const longRows = (): string[] => Array.from({ length: 300 }, (_, index) => 'ä'.repeat(index))
