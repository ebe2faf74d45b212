import fc from 'fast-check'
import t from 'tap'
import { canonicalJson, forbiddenKeys, isJsonObject, type JsonValue } from '../src/json.ts'

const anyJson = fc.jsonValue({ stringUnit: 'binary' }) as fc.Arbitrary<JsonValue>

/** The same value with the members of every object in another order. */
function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  )
}

await t.test('members are sorted and nothing else changes', async t => {
  t.equal(
    canonicalJson({ b: [3, 1, { z: null, a: true }], a: 'é\n', '10': 1, '9': 2, '': -0 }),
    '{"":0,"10":1,"9":2,"a":"é\\n","b":[3,1,{"a":true,"z":null}]}',
  )
  t.equal(canonicalJson([]), '[]')
  t.equal(canonicalJson({}), '{}')
  t.equal(canonicalJson(1e21), '1e+21')
})

await t.test('members are sorted by code point, not by code unit', async t => {
  t.equal(canonicalJson({ '🏁': 1, '\uffff': 2, a: 3 }), '{"a":3,"\uffff":2,"🏁":1}')
  t.equal(canonicalJson({ '🏁': 1, '🏀': 2 }), '{"🏀":2,"🏁":1}', 'inside a surrogate pair')
  t.equal(canonicalJson({ ab: 1, a: 2 }), '{"a":2,"ab":1}', 'a prefix comes first')
})

await t.test('keys with lone surrogates have one order too', async t => {
  const keys = [
    '\ud83d',
    '\ud83d\uffff',
    '\ud83d\udfc1',
    '\ue000',
    '\ud83dX',
    '\udfc1',
    '\ud83d\ud83d',
  ]
  const texts = new Set<string>()
  const property = fc.property(fc.shuffledSubarray(keys, { minLength: keys.length }), shuffled => {
    texts.add(canonicalJson(Object.fromEntries(shuffled.map(key => [key, 1]))))
    return texts.size === 1
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
})

await t.test('keys come in the order of their code points, as an oracle sorts them', async t => {
  const unit = fc.constantFrom('a', '\ud83d', '\udfc1', '\udfc0', '\uffff', '\ue000', '🏁')
  const key = fc.array(unit, { maxLength: 4 }).map(units => units.join(''))
  const property = fc.property(fc.uniqueArray(key), keys => {
    const points = (text: string): string =>
      [...text].map(point => String(point.codePointAt(0)).padStart(8, '0')).join('')
    const expected = [...keys].sort((a, b) => (points(a) < points(b) ? -1 : 1))
    const text = canonicalJson(Object.fromEntries(keys.map(key => [key, 0])))
    return text === `{${expected.map(key => `${JSON.stringify(key)}:0`).join(',')}}`
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
})

await t.test('the text does not depend on the order of insertion, and is the value', async t => {
  const property = fc.property(anyJson, value => {
    const text = canonicalJson(value)
    return canonicalJson(reversed(value)) === text && canonicalJson(JSON.parse(text)) === text
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('an object is neither an array nor null', async t => {
  t.ok(isJsonObject({}))
  for (const value of [[], null, 'a', 1, true, undefined]) t.notOk(isJsonObject(value))
})

await t.test('the names by which objects are attacked are forbidden', async t => {
  t.same([...forbiddenKeys].sort(), ['__proto__', 'constructor', 'prototype'])
})

await t.test('a text is quoted as JSON quotes it, whatever is in it', async t => {
  const unit = fc.constantFrom(
    'a',
    '"',
    '\\',
    '/',
    '\u0000',
    '\u001f',
    '\u007f',
    '\ud83d',
    '\udfc1',
    '\u2028',
  )
  const property = fc.property(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(unit).map(units => units.join('')),
    ),
    text => canonicalJson({ [text]: [text] }) === JSON.stringify({ [text]: [text] }),
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
})
