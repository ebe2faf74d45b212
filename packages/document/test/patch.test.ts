import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'
import { applyPatch, canonicalJson, type JsonObject, type PatchOperation } from '../src/index.ts'

/** A case of json-patch-tests, the public suite of RFC 6902. */
type Case = {
  readonly comment?: string
  readonly doc: JsonObject
  readonly patch: readonly PatchOperation[]
  readonly expected?: JsonObject
  readonly error?: string
  readonly disabled?: boolean
}

const require = createRequire(import.meta.url)
const suite = (name: string): Case[] =>
  JSON.parse(readFileSync(require.resolve(`json-patch-test-suite/${name}`), 'utf8'))

/** A document's root is an object: the suite's documents with another root are a member of one. */
function wrapped({ doc, patch, expected }: Case): {
  doc: JsonObject
  patch: readonly PatchOperation[]
  expected: JsonObject | undefined
} {
  const below = (path: unknown): unknown => (typeof path === 'string' ? `/root${path}` : path)
  return {
    doc: { root: doc },
    patch: JSON.parse(
      JSON.stringify(patch, (key, value: unknown) =>
        key === 'path' || key === 'from' ? below(value) : value,
      ),
    ),
    expected: expected === undefined ? undefined : { root: expected },
  }
}

for (const name of ['tests.json', 'spec_tests.json']) {
  t.test(`applying a patch passes the public suite: ${name}`, async t => {
    for (const [index, each] of suite(name).entries()) {
      if (each.disabled === true) continue
      const title = `${index}: ${each.comment ?? JSON.stringify(each.patch)}`
      const { doc, patch, expected } = wrapped(each)
      const applied = applyPatch(doc, patch)
      if (each.error !== undefined) t.equal(applied, undefined, `${title}: ${each.error}`)
      else if (applied === undefined) t.fail(title)
      else if (expected === undefined) t.pass(`${title}: applies`)
      else t.equal(canonicalJson(applied), canonicalJson(expected), title)
    }
  })
}

t.test('a patch is applied in place', async t => {
  const state: JsonObject = { list: [1, 2] }
  t.equal(applyPatch(state, [{ op: 'add', path: '/list/1', value: 9 }]), state)
  t.same(state, { list: [1, 9, 2] })
})

t.test('a patch may replace the root by an object, and by nothing else', async t => {
  t.same(applyPatch({ a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }]), { b: 2 })
  t.equal(applyPatch({ a: 1 }, [{ op: 'replace', path: '', value: [] }]), undefined)
})

t.test('a patch cannot reach a prototype', async t => {
  for (const path of ['/__proto__/x', '/constructor/prototype/x', '/a/__proto__/x']) {
    t.equal(applyPatch({ a: {} }, [{ op: 'add', path, value: 1 }]), undefined, path)
  }
  t.equal(Reflect.get({}, 'x'), undefined)
})

t.test('an index that is no number within the array is refused', async t => {
  for (const index of ['-1', '1e0', ' 1', '1.0', '3', 'x']) {
    t.equal(
      applyPatch({ l: [1, 2] }, [{ op: 'add', path: `/l/${index}`, value: 1 }]),
      undefined,
      index,
    )
  }
})
