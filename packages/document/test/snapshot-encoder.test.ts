import { limits, zeroPosition } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import type { JsonObject } from '../src/json.ts'
import { recordedDefinition } from '../src/recorded-definition.ts'
import { encodeSnapshot } from '../src/snapshot.ts'
import { SnapshotEncoder } from '../src/snapshot-encoder.ts'
import { anyState } from './any-state.ts'
import { sha256 } from './log-builder.ts'

const at = zeroPosition
const pieceBytesMax = limits.snapshotPieceBytesMax.value
const definition = recordedDefinition({
  variants: [{ ceiling: 0, hash: 'ab'.repeat(32) }],
  viewKey: 'cd'.repeat(16),
  labels: [
    { pattern: '/secret', label: 2 },
    { pattern: '/rows/*/price', label: 3 },
  ],
})

/** Many rows, each with a labelled member. */
const large = (): JsonObject => ({
  rows: Object.fromEntries(
    Array.from({ length: 20_000 }, (_, at) => [`row-${at}`, { text: 'x'.repeat(50), price: at }]),
  ),
})

await t.test('in slices of any sizes a state is written as it is at once', async t => {
  const sizes = fc.array(fc.nat({ max: 200_000 }), { minLength: 1, maxLength: 5 })
  const property = fc.property(anyState, anyState, sizes, (state, secret, sizes) => {
    const content = { at, state: { ...state, secret }, definition, sha256 }
    const encoder = new SnapshotEncoder(content)
    for (let step = 0; !encoder.step(1 + (sizes[step % sizes.length] as number)); step++);
    return JSON.stringify(encoder.snapshot) === JSON.stringify(encodeSnapshot(content))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 100 }))
})

await t.test(
  'a slice writes no more than it may and a piece, and looks at few members',
  async t => {
    for (const named of [undefined, definition]) {
      const state = large()
      const seen = { digested: 0, most: 0, gets: 0, mostGets: 0 }
      const watched = new Proxy(state['rows'] as JsonObject, {
        get: (target, name) => {
          seen.gets++
          return Reflect.get(target, name)
        },
      })
      const encoder = new SnapshotEncoder({
        at,
        state: { rows: watched },
        definition: named,
        sha256: (input, target, offset) => {
          seen.digested += input.length
          sha256(input, target, offset)
        },
      })
      let steps = 0
      for (let isDone = false; !isDone; steps++) {
        Object.assign(seen, { digested: 0, gets: 0 })
        isDone = encoder.step(pieceBytesMax)
        seen.most = Math.max(seen.most, seen.digested)
        seen.mostGets = Math.max(seen.mostGets, seen.gets)
      }
      t.ok(seen.most <= 2 * pieceBytesMax, `${seen.most} bytes`)
      t.ok(seen.mostGets <= 4_000, `${seen.mostGets} of 20,000 members`)
      t.ok(steps > 10, `${steps} steps`)
      t.equal(
        encoder.snapshot?.pieces.length,
        encodeSnapshot({ at, state, definition: named, sha256 }).pieces.length,
      )
    }
  },
)

await t.test('a document that was deleted has no pieces, and is written at once', async t => {
  const encoder = new SnapshotEncoder({ at, state: undefined, definition, sha256 })
  t.ok(encoder.step(1))
  t.same(encoder.snapshot, { manifest: { at, pieces: [] }, pieces: [] })
})

await t.test('of a state that does not hold to its labels there is no snapshot', async t => {
  const state = { rows: [{ price: 1 }, { price: 2 }] }
  const labels = [{ pattern: '/rows/*', label: 3 }]
  const other = recordedDefinition({ ...definition, labels })
  const encoder = new SnapshotEncoder({ at, state, definition: other, sha256 })
  while (!encoder.step(1));
  t.equal(encoder.snapshot, undefined)
  t.ok(encoder.step(1), 'and nothing more is written')
})
