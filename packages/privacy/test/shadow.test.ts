import { applyPatch, type JsonObject, type JsonValue, type PatchOperation } from '@fanfold/document'
import fc from 'fast-check'
import t from 'tap'
import { isUnchanged, jsonOf, ShadowArray, ShadowObject } from '../src/shadow.ts'
import { appendShadowDifference } from '../src/shadow-difference.ts'

const scalar = fc.constantFrom<JsonValue>(0, 1, 2, null, '')
const name = fc.constantFrom('a', 'b', '/', 'toString')
const move = fc.record({
  kind: fc.constantFrom('add', 'set', 'remove'),
  name,
  at: fc.nat({ max: 5 }),
  value: scalar,
})

t.test('an array and its shadow are changed alike, and the array stays as it is', async t => {
  const property = fc.property(
    fc.array(scalar, { maxLength: 4 }),
    fc.array(move),
    (base, moves) => {
      const before = [...base]
      const model: { value: JsonValue; isTouched: boolean }[] = base.map(value => ({
        value,
        isTouched: false,
      }))
      const shadow = new ShadowArray(base, false)
      for (const { kind, at, value } of moves) {
        const made = { value, isTouched: true }
        if (kind === 'add') {
          if (shadow.add(String(at), value) !== at <= model.length) return false
          if (at <= model.length) model.splice(at, 0, made)
        } else if (kind === 'remove') {
          if (shadow.remove(String(at)) !== at < model.length) return false
          model.splice(at, 1)
        } else if (at < model.length) {
          shadow.set(String(at), value)
          model[at] = made
        }
      }
      const values = model.map(one => one.value)
      const areSame = JSON.stringify(values) === JSON.stringify(before)
      return (
        // Whether it is unchanged is asked before its elements are copied, too.
        shadow.isUnchanged === areSame &&
        JSON.stringify(shadow.value()) === JSON.stringify(values) &&
        shadow.isUnchanged === areSame &&
        model.every(({ isTouched }, index) => shadow.isTouchedAt(String(index)) === isTouched) &&
        JSON.stringify(base) === JSON.stringify(before)
      )
    },
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2_000 }))
})

t.test('an object and its shadow are changed alike, and what differs can be told', async t => {
  const object = fc.dictionary(name, scalar, { noNullPrototype: true })
  const property = fc.property(object, fc.array(move), (base: JsonObject, moves) => {
    const before: JsonObject = { ...base }
    const model = new Map(Object.entries(base))
    const shadow = new ShadowObject(base, false)
    for (const { kind, name, value } of moves) {
      if (kind === 'remove') {
        if (shadow.remove(name) !== model.delete(name)) return false
      } else {
        shadow.add(name, value)
        model.set(name, value)
      }
    }
    const operations: PatchOperation[] = []
    appendShadowDifference(base, shadow, '', operations)
    const wanted = Object.fromEntries(model)
    const patched = applyPatch({ ...base }, operations)
    return (
      isUnchanged(wanted, shadow) &&
      patched !== undefined &&
      isUnchanged(patched, wanted) &&
      shadow.isUnchanged === isUnchanged(before, wanted) &&
      shadow.isUnchanged === (operations.length === 0) &&
      isUnchanged(before, base)
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2_000 }))
})

t.test('an index is digits without a leading zero, the end a dash for additions only', async t => {
  const shadow = new ShadowArray([1, 2], false)
  for (const text of ['', '-', '00', '01', '+1', '1.0', ' 1', 'length', '2']) {
    t.equal(shadow.get(text), undefined, text)
    t.notOk(shadow.remove(text), text)
  }
  for (const text of ['', '00', '1.0', '3']) t.notOk(shadow.add(text, 3), text)
  t.ok(shadow.add('-', 3))
  t.same(shadow.value(), [1, 2, 3])
})

t.test('what came with the patch is touched from the start', async t => {
  t.ok(new ShadowObject({ a: 1 }, true).isTouchedAt('a'))
  t.notOk(new ShadowObject({ a: 1 }, true).isTouchedAt('b'))
  t.notOk(new ShadowObject({ a: 1 }, false).isTouchedAt('a'))
  t.ok(new ShadowArray([1], true).isTouchedAt('0'))
  const pushed = new ShadowArray([1], true)
  pushed.add('0', 0)
  t.ok(pushed.isTouchedAt('1'))
})

t.test('what a shadow came to is not changed by what happens to it later', async t => {
  const inner = new ShadowArray([1], false)
  const outer = new ShadowObject({}, false)
  outer.set('list', inner)
  const made = jsonOf(outer)
  inner.add('-', 2)
  t.same(made, { list: [1] })
  t.same(jsonOf(outer), { list: [1, 2] })
})

t.test('a shadow of something else that says the same is unchanged', async t => {
  const moved = new ShadowObject({ a: 1 }, false)
  t.ok(isUnchanged({ a: 1 }, moved))
  moved.set('a', 2)
  t.notOk(isUnchanged({ a: 1 }, moved))
  t.notOk(isUnchanged(undefined, moved))
  t.ok(isUnchanged(undefined, undefined))
})
