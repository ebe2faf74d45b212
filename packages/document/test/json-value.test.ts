import fc from 'fast-check'
import t from 'tap'
import {
  adoptJson,
  adoptReturned,
  type DocumentLimits,
  documentLimits,
  isJsonObject,
  type JsonValue,
  jsonBytes,
  textBytes,
} from '../src/index.ts'

const adopt = (value: unknown, limits: DocumentLimits = documentLimits) => adoptJson(value, limits)

/** The bytes of the JSON text, by making it. */
const textLength = (value: JsonValue): number => Buffer.byteLength(JSON.stringify(value))

/** Containers that are not empty: each counts one byte more than its text has. */
function filledContainers(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0
  const children = Object.values(value)
  return children.reduce<number>((sum, c) => sum + filledContainers(c), children.length > 0 ? 1 : 0)
}

const unit = { unit: 'binary' } as const
const json = fc.jsonValue({ stringUnit: 'binary', noUnicodeString: false })

t.test('what a function returned may have members that are undefined', async t => {
  const given = { a: undefined, b: [{ c: undefined, d: 1 }] }
  t.same(adoptReturned(given, documentLimits), {
    ok: true,
    value: { b: [{ d: 1 }] },
    bytes: jsonBytes({ b: [{ d: 1 }] }),
  })
  t.match(adoptReturned([undefined], documentLimits), { ok: false, problem: { pointer: '/0' } })
  t.match(adoptReturned(undefined, documentLimits), { ok: false })
  t.match(adoptJson(given, documentLimits), { ok: false, problem: { pointer: '/a' } })
})

t.test('what JSON can say comes back as an equal value that shares nothing', async t => {
  fc.assert(
    fc.property(json, made => {
      const text = JSON.stringify(made).replaceAll(/"(__proto__|constructor|prototype)":/g, '"p":')
      const value: JsonValue = JSON.parse(text)
      const adopted = adopt(value)
      if (!adopted.ok) throw new Error(adopted.problem.message)
      if (JSON.stringify(adopted.value) !== JSON.stringify(value)) throw new Error('not equal')
      if (typeof value === 'object' && value !== null && adopted.value === value) {
        throw new Error('not a copy')
      }
      const bytes = textLength(value) + filledContainers(value)
      if (adopted.bytes !== bytes || jsonBytes(value) !== bytes) {
        throw new Error(`${bytes} bytes, counted ${adopted.bytes} and ${jsonBytes(value)}`)
      }
    }),
  )
  t.pass('any value')
})

t.test(
  'the bytes of a text are those of its JSON, lone surrogates and controls included',
  async t => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { maxLength: 30 }), units => {
        const text = String.fromCharCode(...units)
        if (textBytes(text) !== textLength(text)) throw new Error(`${textBytes(text)} for ${units}`)
      }),
    )
    const all = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code))
    t.same(
      all.filter(text => textBytes(text) !== textLength(text)),
      [],
      'each code unit',
    )
    t.equal(textBytes(fc.sample(fc.string(unit), { numRuns: 1, seed: 1 })[0] ?? '') > 1, true)
  },
)

t.test('zero has no sign', async t => {
  const adopted = adopt([-0])
  t.ok(adopted.ok && Array.isArray(adopted.value) && Object.is(adopted.value[0], 0))
})

t.test('what is not JSON is refused with its place', async t => {
  class Player {}
  const sparse: unknown[] = [1]
  sparse[2] = 1
  const accessor = Object.defineProperty({}, 'x', { get: () => 1, enumerable: true })
  const elementAccessor = Object.defineProperty([1], 0, { get: () => 1, enumerable: true })
  const cases: [unknown, string, RegExp][] = [
    [undefined, '', /^undefined is not JSON: the root$/],
    [{ a: [1, undefined] }, '/a/1', /undefined/],
    [{ a: () => 1 }, '/a', /a function/],
    [{ a: Symbol('s') }, '/a', /a symbol/],
    [{ a: 1n }, '/a', /a bigint/],
    [{ a: Number.NaN }, '/a', /NaN/],
    [{ a: Number.NEGATIVE_INFINITY }, '/a', /-Infinity/],
    [{ 'a/b': { '~': new Date(0) } }, '/a~1b/~0', /an instance of Date/],
    [{ a: new Map() }, '/a', /an instance of Map/],
    [{ a: new Player() }, '/a', /an instance of Player/],
    [{ a: Object.create({}) }, '/a', /an instance/],
    [{ a: Object('boxed') }, '/a', /an instance of String/],
    [sparse, '/1', /undefined/],
    [{ a: accessor }, '/a/x', /an accessor/],
    [{ a: elementAccessor }, '/a/0', /an accessor/],
  ]
  for (const [value, pointer, message] of cases) {
    t.match(adopt(value), { ok: false, problem: { code: 'FANFOLD_NOT_JSON', pointer, message } })
  }
})

t.test('objects without a prototype and members that cannot be seen are as in JSON', async t => {
  const bare = Object.assign(Object.create(null), { a: 1 })
  Object.defineProperty(bare, 'hidden', { value: () => 1, enumerable: false })
  const adopted = adopt(bare)
  t.ok(adopted.ok && isJsonObject(adopted.value))
  t.same(adopted, { ok: true, value: { a: 1 }, bytes: 8 })
})

t.test('forbidden member names are refused', async t => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    t.match(adopt(JSON.parse(`{"a":{"${name}":{}}}`)), {
      ok: false,
      problem: { code: 'FANFOLD_FORBIDDEN_KEY', pointer: `/a/${name}` },
    })
  }
})

/** Containers in each other, so that the innermost value is `depth` segments deep. */
function nested(depth: number): JsonValue {
  let value: JsonValue = 1
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

t.test('the limits hold at the limit and refuse one past it', async t => {
  const { depthMax, textBytesMax, memberNameBytesMax, pointerBytesMax } = documentLimits
  t.match(adopt(nested(depthMax.value)), { ok: true })
  t.match(adopt(nested(depthMax.value + 1)), { ok: false, problem: { code: 'FANFOLD_TOO_DEEP' } })
  t.match(adoptJson(nested(60), documentLimits, '/1/2/3/4'), { ok: true })
  t.match(adoptJson(nested(61), documentLimits, '/1/2/3/4'), { ok: false })
  t.match(adopt('x'.repeat(textBytesMax.value - 2)), { ok: true })
  t.match(adopt('x'.repeat(textBytesMax.value - 1)), {
    ok: false,
    problem: { code: 'FANFOLD_TOO_LARGE', message: /at most 49152 bytes, got 49153: the root/ },
  })
  t.match(adopt({ ['é'.repeat(memberNameBytesMax.value / 2)]: 1 }), { ok: true })
  t.match(adopt({ [`${'é'.repeat(memberNameBytesMax.value / 2)}x`]: 1 }), {
    ok: false,
    problem: { code: 'FANFOLD_TOO_LARGE' },
  })
  const rest = `/${'y'.repeat(pointerBytesMax.value - 4)}`
  t.match(adoptJson({ ab: 1 }, documentLimits, rest), { ok: true })
  t.match(adoptJson({ 'a/': 1 }, documentLimits, rest), {
    ok: false,
    problem: { code: 'FANFOLD_TOO_LARGE', message: /at most 2048 bytes, got 2049/ },
  })
  t.match(adoptJson([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], documentLimits, `${rest}y`), {
    ok: false,
    problem: { message: /got 2049/ },
  })
})

t.test('a cycle ends at the depth limit', async t => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  t.match(adopt(cycle), { ok: false, problem: { code: 'FANFOLD_TOO_DEEP' } })
})

t.test('a value that repeats itself without end in width stops at its size', async t => {
  const wide: unknown[] = Array(1_000).fill('x'.repeat(100))
  const limits = {
    ...documentLimits,
    writtenBytesMax: { ...documentLimits.writtenBytesMax, value: 1_000_000 },
  }
  t.match(adopt(Array(1_000).fill(wide), limits), {
    ok: false,
    problem: { code: 'FANFOLD_TOO_LARGE', message: /at most 1000000 bytes: \/10/ },
  })
})
