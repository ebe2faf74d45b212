import fc from 'fast-check'
import t from 'tap'
import { canonicalJson, type JsonObject, type JsonValue } from '../src/json.ts'
import { comparisonsMax } from '../src/label-split.ts'
import { Labels, type SplitPatch } from '../src/labels.ts'
import { applyPatch, type PatchOperation } from '../src/patch.ts'
import { parsePointer } from '../src/pointer.ts'
import type { LabelRule } from '../src/recorded-definition.ts'
import {
  clone,
  hasLabelInArray,
  naiveLabel,
  object,
  patchOf,
  rules,
  strip,
  wishes,
} from './random-labels.ts'

const ceilings = [0, 1, 2, 3]

/** The parts up to a ceiling on top of a state. */
function applied(split: SplitPatch, state: JsonValue, ceiling: number): string {
  if (!split.ok) return split.message
  let now: JsonObject | undefined = clone(state) as JsonObject
  let tagBefore = -1
  for (const [label, part] of split.parts) {
    if (label <= tagBefore || part.length === 0) return 'parts rise and are not empty'
    tagBefore = label
    if (label <= ceiling && now !== undefined) now = applyPatch(now, clone([...part]))
  }
  return now === undefined ? 'does not apply' : canonicalJson(now)
}

/** True when each operation's container is of one kind then and in the end. */
function isStable(patch: readonly PatchOperation[], states: readonly JsonObject[]): boolean {
  const after = states.at(-1) as JsonObject
  return patch.every(({ path }, index) => {
    const way = parsePointer(path)?.slice(0, -1) ?? []
    const then = kindAt(states[index] as JsonObject, way)
    return then === kindAt(after, way)
  })
}

const kindAt = (root: JsonValue, way: readonly string[]): string => {
  let value: JsonValue | undefined = root
  for (const name of way) value = (value as JsonObject | undefined)?.[name]
  return Array.isArray(value) ? 'array' : typeof value
}

await t.test('parts up to a ceiling make of what it saw what it sees', async t => {
  let exact = 0
  const property = fc.property(rules, object, wishes, (rules, before, wanted) => {
    const { patch, states } = patchOf(before, wanted)
    if (states.some(state => hasLabelInArray(rules, state))) return true
    const text = JSON.stringify(patch)
    const after = states.at(-1) as JsonObject
    const split = Labels.compile(rules).splitPatch(patch, after)
    if (!split.ok) return !isStable(patch, states)
    exact++
    return (
      JSON.stringify(patch) === text &&
      ceilings.every(
        ceiling =>
          applied(split, strip(rules, before, ceiling), ceiling) ===
          canonicalJson(strip(rules, after, ceiling)),
      )
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 6_000 }))
  t.ok(exact > 1_000, `${exact} patches were divided`)
})

await t.test('no part holds a value that has a higher label', async t => {
  const property = fc.property(rules, object, wishes, (rules, before, wanted) => {
    const { patch, states } = patchOf(before, wanted)
    if (states.some(state => hasLabelInArray(rules, state))) return true
    const split = Labels.compile(rules).splitPatch(patch, states.at(-1) as JsonObject)
    if (!split.ok) return true
    return [...split.parts].every(([label, part]) =>
      part.every(operation => {
        const place = parsePointer(operation.path) ?? []
        if (!('value' in operation)) return naiveLabel(rules, place) === label
        const left = strip(rules, operation.value, label, place)
        return (
          naiveLabel(rules, place) === label &&
          canonicalJson(left) === canonicalJson(operation.value)
        )
      }),
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000 }))
})

await t.test('a state in parts is at every ceiling the state without what is higher', async t => {
  const property = fc.property(rules, object, (rules, state) => {
    const split = Labels.compile(rules).splitState(state)
    if (hasLabelInArray(rules, state)) return !split.ok && split.code === 'FANFOLD_LABEL_IN_ARRAY'
    return ceilings.every(
      ceiling => applied(split, {}, ceiling) === canonicalJson(strip(rules, state, ceiling)),
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2_000 }))
})

await t.test(
  'a change of labels takes every ceiling from the old ones to the new ones',
  async t => {
    const property = fc.property(rules, rules, object, (old, rules, state) => {
      if (hasLabelInArray(old, state)) return true
      const split = Labels.compile(rules).relabel(state, Labels.compile(old))
      if (hasLabelInArray(rules, state)) return !split.ok
      return ceilings.every(
        ceiling =>
          applied(split, strip(old, state, ceiling), ceiling) ===
          canonicalJson(strip(rules, state, ceiling)),
      )
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 3_000 }))
  },
)

await t.test('one operation that puts a label into an array is refused', async t => {
  const property = fc.property(rules, object, wishes, (rules, before, wanted) => {
    const { patch, states } = patchOf(before, wanted.slice(0, 1))
    if (hasLabelInArray(rules, before)) return true
    const after = states.at(-1) as JsonObject
    const split = Labels.compile(rules).splitPatch(patch, after)
    return hasLabelInArray(rules, after) ? !split.ok : split.ok
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 3_000 }))
})

await t.test('the label of a place is the highest of the patterns at it or above', async t => {
  const place = fc.array(fc.constantFrom('a', 'b', 's', '0', '~/', '*'), { maxLength: 5 })
  const property = fc.property(
    rules,
    place,
    (rules, place) => Labels.compile(rules).labelAt(place) === naiveLabel(rules, place),
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000 }))
  const all = Labels.compile([{ pattern: '', label: 2 }])
  t.equal(all.labelAt([]), 0, 'the document itself is an object at every ceiling')
  t.equal(all.labelAt(['a']), 2)
  t.same(Labels.compile([{ pattern: '/a', label: 0 }]).used, [])
})

const odds: LabelRule[] = [{ pattern: '/odds', label: 1 }]
const labels = Labels.compile(odds)

await t.test('a patch that touches nothing labelled is one part, and itself', async t => {
  const patch: PatchOperation[] = [{ op: 'replace', path: '/score/home', value: { a: [1] } }]
  const split = labels.splitPatch(patch, {})
  t.equal(split.ok && split.parts.get(0), patch)
  const root: PatchOperation[] = [{ op: 'replace', path: '', value: { score: {} } }]
  const whole = labels.splitPatch(root, {})
  t.equal(whole.ok && whole.parts.get(0), root, 'above a labelled place, and nothing is there')
  const none = Labels.none.splitPatch(patch, {})
  t.equal(none.ok && none.parts.get(0), patch)
  t.same(labels.splitPatch([], {}), { ok: true, parts: new Map() })
  t.ok(Labels.none.isEmpty)
  t.notOk(labels.isEmpty)
})

await t.test('what nothing is cut out of is not copied', async t => {
  const deep = { plain: { a: 1 } }
  const split = labels.splitPatch([{ op: 'replace', path: '', value: { deep, odds: 3 } }], {})
  const part = split.ok ? split.parts.get(0)?.[0] : undefined
  t.ok(part !== undefined && 'value' in part)
  if (part === undefined || !('value' in part)) return
  t.same(part.value, { deep })
  t.equal((part.value as JsonObject)['deep'], deep)
  t.same(split.ok && split.parts.get(1), [{ op: 'add', path: '/odds', value: 3 }])
})

await t.test('a hand that is dealt to each of many players is divided in no time', async t => {
  const hands = Labels.compile([{ pattern: '/players/*/hand', label: 1 }])
  const patch: PatchOperation[] = []
  const after: JsonObject = { players: {} }
  for (let index = 0; index < 5_000; index++) {
    const path = `/players/${index}`
    patch.push({ op: 'add', path: `${path}/hand`, value: index })
    patch.push({ op: 'add', path: `${path}/at`, value: 1 })
  }
  const split = hands.splitPatch(patch, after)
  t.same(split.ok && [...split.parts].map(([label, part]) => [label, part.length]), [
    [0, 5_000],
    [1, 5_000],
  ])
})

await t.test(
  'a patch that takes too many comparisons is refused, one that is at the limit is not',
  async t => {
    const rows = Labels.compile([{ pattern: '/rows/*/s', label: 1 }])
    const dealt = (count: number, inserts: number): SplitPatch => {
      const patch: PatchOperation[] = []
      for (let index = 0; index < count; index++) {
        patch.push({ op: 'add', path: `/rows/${index}/s`, value: 1 })
      }
      for (let index = 0; index < inserts; index++) {
        patch.push({ op: 'add', path: '/rows/0', value: {} })
      }
      return rows.splitPatch(patch, { rows: [] })
    }
    t.ok(dealt(1_024, comparisonsMax / 1_024).ok)
    t.match(dealt(1_024, comparisonsMax / 1_024 + 1), { ok: false, code: 'FANFOLD_TOO_LARGE' })
  },
)

await t.test('a pattern that means elements of an array is named', async t => {
  const split = (pattern: string, patch: PatchOperation[], after: JsonObject): SplitPatch =>
    Labels.compile([{ pattern, label: 1 }]).splitPatch(patch, after)
  const refused = { ok: false, code: 'FANFOLD_LABEL_IN_ARRAY' }
  const hands = split('/hands/*', [{ op: 'add', path: '/hands', value: [1] }], { hands: [1] })
  t.match(hands, refused)
  t.match(hands, { message: /\/hands\/\* .*at \/hands$/ })
  const push: PatchOperation[] = [{ op: 'add', path: '/hands/0', value: 1 }]
  t.match(split('/hands/*', push, { hands: [1] }), refused, 'an element by an operation')
  t.ok(split('/hands/*', push, { hands: { 0: 1 } }).ok, 'a member of that name')
  t.match(split('/hands/0/card', push, { hands: [1] }), refused, 'counted')
  t.match(split('/hands/-', push, { hands: [1] }), refused)
  t.ok(split('/hands/*/card', push, { hands: [1] }).ok, 'members of elements')
  t.ok(split('/hands/*', [{ op: 'add', path: '/hands', value: [] }], { hands: [] }).ok)
})

await t.test('what is no operation of an authority is our bug', async t => {
  t.throws(() => labels.splitPatch([{ op: 'move', from: '/odds', path: '/x' }], {}))
  t.throws(() => labels.splitPatch([{ op: 'test', path: '', value: 1 }], {}))
  t.throws(() => Labels.compile([{ pattern: 'odds', label: 1 }]))
})
