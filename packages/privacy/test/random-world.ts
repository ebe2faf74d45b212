/*
 * Random definitions, documents and chains of patches for them. Texts and half of the names are
 * stamped with a number of their own, so that what leaks can be told from what is seen.
 */
import type { EdgeDefinition, PrivacyRule } from '@fanfold/definition'
import {
  applyPatch,
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type PatchOperation,
  type PathPattern,
  parsePathPattern,
  pointerTo,
} from '@fanfold/document'
import fc from 'fast-check'

const names = ['a', 'b', 'c', '', '/', '~', '~1', '0', '1', 'ü', 'toString', 'length'] as const
const name = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom('a', 'b', 'c'),
  fc.constantFrom('a', 'b', 'c'),
)
const memberName = fc.oneof(name, fc.constant('k'))

const plain = { noNullPrototype: true } as const

/** A value that is not stamped yet: `v` and names `k` become their own. */
const value: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true, depthIdentifier: 'value' },
    { weight: 3, arbitrary: fc.constantFrom<JsonValue>('v', 'v', 'v', 0, 1, null, true) },
    { weight: 3, arbitrary: fc.dictionary(memberName, tie('value'), { maxKeys: 4, ...plain }) },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 4 }) },
  ),
})).value

type RuleSpec = { segments: string[]; reads: string[][]; salt: number; kind: number }
type LabelSpec = { segments: string[]; label: number }

/** All that a run is made of. */
export type World = {
  state: JsonObject
  rules: RuleSpec[]
  labels: LabelSpec[]
  isOpen: boolean
  isGuarded: boolean
  view: number
  deltas: StepSpec[][]
}

type StepSpec = { kind: number; at: number; to: number; name: string; value: JsonValue }

const patternSegment = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c') },
  { weight: 1, arbitrary: name },
  { weight: 3, arbitrary: fc.constant('*') },
)
const patternSegments = fc.oneof(
  { weight: 20, arbitrary: fc.array(patternSegment, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constant<string[]>([]) },
)
const rule: fc.Arbitrary<RuleSpec> = fc.record({
  segments: patternSegments,
  reads: fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[][]>([]) },
    { weight: 1, arbitrary: fc.array(patternSegments, { minLength: 1, maxLength: 2 }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom<string[][]>([['a']], [['b']], [['*']], [['c', '*']], [['a', '1']]),
    },
  ),
  salt: fc.nat(1000),
  kind: fc.nat(9),
})

export function world(deltaCountMax: number): fc.Arbitrary<World> {
  return fc.record({
    state: fc.dictionary(memberName, value, { minKeys: 2, maxKeys: 6, ...plain }),
    rules: fc.array(rule, { maxLength: 5 }),
    labels: fc.array(
      fc.record({ segments: patternSegments, label: fc.integer({ min: 1, max: 3 }) }),
      { maxLength: 2 },
    ),
    isOpen: fc.boolean(),
    isGuarded: fc.boolean(),
    view: fc.nat(19),
    deltas: fc.array(
      fc.array(
        fc.record({
          kind: fc.nat(39),
          at: fc.nat(9999),
          to: fc.nat(9999),
          name: memberName,
          value,
        }),
        { minLength: 1, maxLength: 4 },
      ),
      { minLength: 1, maxLength: deltaCountMax, size: 'max' },
    ),
  })
}

function pattern(segments: readonly string[]): PathPattern {
  const parsed = parsePathPattern(pointerTo(segments))
  if (parsed === undefined) throw new Error(`no pattern: ${pointerTo(segments)}`)
  return parsed
}

function hash(text: string): number {
  let sum = 0
  for (let index = 0; index < text.length; index++) sum = (sum * 31 + text.charCodeAt(index)) | 0
  return Math.abs(sum ^ (sum >>> 7))
}

/** A rule whose answer is as good as chance, and always the same for the same question. */
function ruleOf({ segments, reads, salt, kind }: RuleSpec): PrivacyRule {
  const patternText = pattern(segments)
  const stars = segments.filter(segment => segment === '*').length
  return {
    pattern: patternText,
    // A `*` in a read must have one in the rule to stand for.
    reads: reads.map(read => {
      let used = 0
      return pattern(read.map(segment => (segment !== '*' || used++ < stars ? segment : 'a')))
    }),
    allow(audience, context) {
      if (kind === 0 && context.keys.length > 0) return context.key === 'a'
      // The order of members is not part of a value, so neither may it be part of an answer.
      const reads = context.reads as JsonObject
      const question = JSON.stringify([salt, audience, context.keys, canonicalJson(reads)])
      return hash(question) % 5 > (kind > 5 ? 0 : 1)
    },
  }
}

const views: readonly EdgeDefinition['view'][] = [
  visible => visible,
  visible => ({ names: Object.keys(Object(visible)).sort() }),
  visible => ({ b: Reflect.get(Object(visible), 'b') ?? null, has: 'a' in Object(visible) }),
  (visible, audience, viewState) => ({
    audience,
    viewState: viewState ?? null,
    flat: Object.entries(Object(visible))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, member]) => (Array.isArray(member) ? member.slice(0, 2) : [typeof member])),
  }),
]

/** The definition of a world. */
export function definitionOf({ rules, labels, isOpen, isGuarded, view }: World): EdgeDefinition {
  const all = isOpen || !isGuarded ? rules : rules.flatMap(guarded)
  return {
    type: 'random',
    reducers: {},
    watched: {},
    observe: undefined,
    rules: all.map(ruleOf),
    isOpen,
    labels: labels.map(({ segments, label }) => ({ pattern: pointerTo(segments), label })),
    view: views[view],
    viewState: undefined,
  }
}

/** A rule with one more at each `*` that has segments behind it. */
const guarded = (rule: RuleSpec): RuleSpec[] => [
  rule,
  ...rule.segments.flatMap((segment, depth) =>
    segment === '*' && depth < rule.segments.length - 1
      ? [{ segments: rule.segments.slice(0, depth + 1), reads: [], salt: depth, kind: 6 }]
      : [],
  ),
]

/** Gives every `v` and every name `k` a number of its own. */
export class Stamp {
  #count = 0

  stamp(value: JsonValue): JsonValue {
    if (value === 'v') return `v${this.#count++}`
    if (Array.isArray(value)) return value.map(element => this.stamp(element))
    if (!isJsonObject(value)) return value
    const entries = Object.entries(value).map(([name, member]): [string, JsonValue] => [
      this.name(name),
      this.stamp(member),
    ])
    return Object.fromEntries(entries)
  }

  name(name: string): string {
    return name === 'k' ? `k${this.#count++}` : name
  }
}

type Spot = { path: string[]; value: JsonValue }

/** Every place of a document, the root first. */
function spotsOf(state: JsonObject): Spot[] {
  const spots: Spot[] = [{ path: [], value: state }]
  for (const { path, value } of spots) {
    if (typeof value !== 'object' || value === null) continue
    for (const [name, member] of Object.entries(value)) {
      spots.push({ path: [...path, name], value: member })
    }
  }
  return spots
}

export const copyOf = <Value extends JsonValue>(value: Value): Value =>
  JSON.parse(JSON.stringify(value))

/** The patch that the steps of a delta come to on `state`, which stays as it is. */
export function patchOf(
  steps: readonly StepSpec[],
  state: JsonObject,
  definition: EdgeDefinition,
  stamp: Stamp,
): PatchOperation[] {
  const patch: PatchOperation[] = []
  let scratch = copyOf(state)
  for (const step of steps) {
    for (const operation of operationsOf(step, scratch, definition, stamp)) {
      const next = applyPatch(copyOf(scratch), [copyOf(operation)])
      if (next === undefined) break
      scratch = next
      patch.push(operation)
    }
  }
  return patch
}

function operationsOf(
  step: StepSpec,
  state: JsonObject,
  definition: EdgeDefinition,
  stamp: Stamp,
): PatchOperation[] {
  const spots = spotsOf(state)
  const spot = spots[step.at % spots.length] as Spot
  const other = spots[step.to % spots.length] as Spot
  const path = pointerTo(spot.path)
  const fresh = (): JsonValue => stamp.stamp(step.value)
  const slot = slotIn(other, step, stamp)
  switch (step.kind) {
    case 0:
      return [{ op: 'replace', path, value: copyOf(spot.value) }]
    case 1:
      return [{ op: 'test', path, value: copyOf(spot.value) }]
    case 2:
    case 3:
      return path === '' ? [] : [{ op: 'move', from: path, path: slot }]
    case 4:
    case 5:
      return [{ op: 'copy', from: path, path: slot }]
    case 6:
      return [
        { op: 'add', path: slot, value: fresh() },
        { op: 'remove', path: slot },
      ]
    case 7:
      if (step.at % 4 > 0) return []
      return [{ op: 'replace', path: '', value: { ...state, a: fresh() } }]
    case 8: {
      // Out and in again: what was there is there.
      if (path === '') return []
      return [
        { op: 'remove', path },
        { op: 'add', path, value: copyOf(spot.value) },
      ]
    }
    case 9:
      if (!Array.isArray(other.value) || other.value.length === 0) return []
      return [
        { op: 'remove', path: `${pointerTo(other.path)}/0` },
        { op: 'add', path: `${pointerTo(other.path)}/-`, value: fresh() },
      ]
    case 10:
    case 11:
    case 12:
    case 19:
    case 20: {
      const reads = definition.rules.flatMap(rule => rule.reads)
      return patternTouch(step, reads[step.at % Math.max(1, reads.length)], state, stamp)
    }
    case 21:
    case 22:
    case 23:
    case 24:
    case 25:
    case 26: {
      const { rules } = definition
      const rule = rules[step.at % Math.max(1, rules.length)]
      return patternTouch(step, rule?.pattern, state, stamp)
    }
    case 13:
    case 14:
    case 15:
      return path === '' ? [] : [{ op: 'remove', path }]
    case 16:
    case 17:
    case 18:
      return path === '' ? [] : [{ op: 'replace', path, value: fresh() }]
    default:
      return [{ op: 'add', path: slot, value: fresh() }]
  }
}

/** A place in a container where something can be added. */
function slotIn({ path, value }: Spot, step: StepSpec, stamp: Stamp): string {
  if (Array.isArray(value)) {
    const index = step.at % (value.length + 2)
    return pointerTo([...path, index > value.length ? '-' : String(index)])
  }
  return isJsonObject(value) ? pointerTo([...path, stamp.name(step.name)]) : pointerTo(path)
}

/** Changes something that a rule reads or covers, or something on the way, or makes it. */
function patternTouch(
  step: StepSpec,
  pattern: PathPattern | undefined,
  state: JsonObject,
  stamp: Stamp,
): PatchOperation[] {
  const path: string[] = []
  let value: JsonValue | undefined = state
  for (const segment of pattern?.segments ?? []) {
    if (typeof value !== 'object' || value === null) break
    const members: string[] = Object.keys(value)
    const isNew = members.length === 0 || step.to % 3 === 0
    const any: string = isNew ? stamp.name('k') : (members[step.to % members.length] ?? 'a')
    path.push(typeof segment === 'string' ? segment : Array.isArray(value) ? '-' : any)
    value = Object.entries(value).find(([name]) => name === path.at(-1))?.[1]
    if (value === undefined || (step.at % 7 === 0 && step.to % 2 === 0)) break
  }
  if (path.length === 0) return []
  const at = pointerTo(path)
  if (step.at % 4 === 0) return [{ op: 'remove', path: at }]
  // A value for the next segment to stand in, most times.
  const inner = stamp.stamp(step.value)
  const next = pattern?.segments[path.length]
  const isInner = next !== undefined && step.to % 4 > 0
  const name = typeof next === 'string' ? next : stamp.name('k')
  return [{ op: 'add', path: at, value: isInner ? { [name]: inner } : inner }]
}
