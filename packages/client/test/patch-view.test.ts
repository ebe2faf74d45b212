import { createRequire } from 'node:module'
import { canonicalJson, isJsonObject, type JsonValue } from '@fanfold/document'
import fc from 'fast-check'
import jsonPatch, { type Operation } from 'fast-json-patch'
import t from 'tap'
import { patchView } from '../src/patch-view.ts'

type SuiteCase = {
  comment?: string
  doc: JsonValue
  patch: unknown[]
  expected?: JsonValue
  error?: string
  disabled?: boolean
}

const require = createRequire(import.meta.url)
const suite = ['tests', 'spec_tests'].flatMap(
  name => require(`json-patch-test-suite/${name}.json`) as SuiteCase[],
)

t.test('passes the public suite of RFC 6902', t => {
  for (const { comment, doc, patch, expected, error, disabled } of suite) {
    if (disabled || !Array.isArray(patch)) continue
    const before = JSON.stringify(doc)
    const result = patchView(doc, structuredClone(patch))
    const name = comment ?? error ?? JSON.stringify(patch)
    if (error !== undefined) t.equal(result, undefined, `refuses: ${name}`)
    else if (expected !== undefined) t.same(result, expected, `applies: ${name}`)
    else t.not(result, undefined, `applies: ${name}`)
    t.equal(JSON.stringify(doc), before, `leaves the document alone: ${name}`)
  }
  t.end()
})

t.test('shares every untouched part with the view before', t => {
  const view = { a: { x: { y: 1 } }, b: [{ n: 1 }, { n: 2 }], c: { d: 1 } }
  const after = patchView(view, [
    { op: 'replace', path: '/c/d', value: 2 },
    { op: 'add', path: '/b/1', value: { n: 9 } },
  ])
  t.same(after, { a: { x: { y: 1 } }, b: [{ n: 1 }, { n: 9 }, { n: 2 }], c: { d: 2 } })
  const list = isJsonObject(after) ? after['b'] : undefined
  t.equal(isJsonObject(after) && after['a'], view.a)
  t.equal(Array.isArray(list) && list[0], view.b[0])
  t.equal(Array.isArray(list) && list[2], view.b[1])
  t.same(view, { a: { x: { y: 1 } }, b: [{ n: 1 }, { n: 2 }], c: { d: 1 } })
  t.end()
})

t.test('a copy and its source change apart', t => {
  const patch = [
    { op: 'replace', path: '/a/n', value: 2 },
    { op: 'copy', from: '/a', path: '/b' },
    { op: 'replace', path: '/b/n', value: 3 },
    { op: 'add', path: '/a/m', value: 4 },
  ]
  t.same(patchView({ a: { n: 1 } }, patch), { a: { n: 2, m: 4 }, b: { n: 3 } })
  t.end()
})

t.test('a value of the patch is not changed by a later operation', t => {
  const value = { n: 1 }
  const patch = [
    { op: 'add', path: '/a', value },
    { op: 'replace', path: '/a/n', value: 2 },
  ]
  t.same(patchView({}, patch), { a: { n: 2 } })
  t.same(value, { n: 1 })
  t.end()
})

t.test('names that attack objects are refused', t => {
  for (const key of ['__proto__', 'constructor', 'prototype']) {
    t.equal(patchView({ a: {} }, [{ op: 'add', path: `/${key}`, value: 1 }]), undefined)
    t.equal(patchView({ a: {} }, [{ op: 'add', path: `/a/${key}/x`, value: 1 }]), undefined)
    t.equal(patchView({ a: {} }, [{ op: 'copy', from: `/${key}`, path: '/b' }]), undefined)
  }
  t.equal(Object.hasOwn(Object.prototype, 'x'), false)
  t.end()
})

t.test('what is no operation is refused', t => {
  for (const operation of [
    null,
    1,
    [],
    {},
    { op: 'add', path: '/a' },
    { op: 'replace', path: '/a' },
    { op: 'test', path: '/a' },
    { op: 'add', path: 'a', value: 1 },
    { op: 'add', path: '/a~2', value: 1 },
    { op: 'add', value: 1 },
    { op: 'move', path: '/b' },
    { op: 'swap', path: '/a', value: 1 },
    { op: 'remove', path: '' },
    { op: 'move', from: '/a', path: '/a/b' },
  ]) {
    t.equal(patchView({ a: {} }, [operation]), undefined, JSON.stringify(operation))
  }
  t.end()
})

t.test('agrees with fast-json-patch on random patches', t => {
  const key = fc.constantFrom('a', 'b', '0', '1', '-', '~0', '~1', '2')
  const path = fc.array(key, { minLength: 1, maxLength: 3 }).map(keys => `/${keys.join('/')}`)
  const leaf = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(null, true, 'x'))
  const { value } = fc.letrec<{ value: JsonValue }>(tie => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', '0', '~', '/'), tie('value'), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    ),
  }))
  const operation = fc.oneof(
    fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path, value }),
    fc.record({ op: fc.constant('remove'), path }),
    fc.record({ op: fc.constantFrom('move', 'copy'), from: path, path }),
  )
  const root = fc.oneof(
    fc.dictionary(fc.constantFrom('a', 'b', '0'), value, { noNullPrototype: true }),
    fc.array(value, { maxLength: 3 }),
  )
  const patch = fc.array(operation, { minLength: 1, maxLength: 4 })
  const agrees = () =>
    fc.assert(
      fc.property(root, patch, (root, patch) => {
        const before = JSON.stringify(root)
        // A move into itself: RFC 6902 forbids it, fast-json-patch loses the value.
        if (patch.some(one => 'from' in one && one.path.startsWith(`${one.from}/`))) return true
        const ours = patchView(root, structuredClone(patch))
        const theirs = oracle(structuredClone(root), structuredClone(patch) as Operation[])
        if (JSON.stringify(root) !== before) return false
        return ours === undefined
          ? theirs === undefined
          : theirs !== undefined && isSame(ours, theirs)
      }),
      { numRuns: 2_000 },
    )
  t.doesNotThrow(agrees)
  t.end()
})

function oracle(document: JsonValue, patch: Operation[]): JsonValue | undefined {
  try {
    return patch.reduce((state, one) => {
      // fast-json-patch moves and copies to beyond the end of an array, where it does not add.
      if ('from' in one) {
        const remove: Operation[] = one.op === 'move' ? [{ op: 'remove', path: one.from }] : []
        const add: Operation = { op: 'add', path: one.path, value: null }
        jsonPatch.applyPatch(state, [...remove, add], true, false, true)
      }
      return jsonPatch.applyPatch(state, [one], true, true, true).newDocument
    }, document)
  } catch {
    return undefined
  }
}

function isSame(a: JsonValue, b: JsonValue): boolean {
  return canonicalJson(a) === canonicalJson(b)
}
