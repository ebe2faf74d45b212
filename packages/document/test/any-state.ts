import fc from 'fast-check'
import type { JsonObject, JsonValue } from '../src/json.ts'

const key = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a/b', '~', '~0', '~1', '/', '', '0', '10', '-', 'length', 'é🏁', '\ud83d'),
)
const allowed = key.filter(key => !['__proto__', 'constructor', 'prototype'].includes(key))
const { anyJson } = fc.letrec<{ anyJson: JsonValue }>(tie => ({
  anyJson: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, false, 0, -1.5, 1e300, ''),
    fc.string({ unit: 'binary' }),
    // What is over 64 KiB together is opened, piece by piece.
    fc.nat({ max: 40_000 }).map(length => 'x'.repeat(length)),
    fc.nat({ max: 20_000 }).map(length => '€'.repeat(length / 2)),
    fc.array(tie('anyJson'), { maxLength: 8 }),
    fc.dictionary(allowed, tie('anyJson'), { maxKeys: 8 }),
  ),
}))
/** States with values of every kind and size, and names that need care. */
export const anyState = fc.dictionary(allowed, anyJson, { maxKeys: 8 }) as fc.Arbitrary<JsonObject>
