/*
 * Random states, labels and patches, and what a ceiling leaves of a state, written the naive way.
 */
import fc from 'fast-check'
import type { JsonObject, JsonValue } from '../src/json.ts'
import { applyPatch, type PatchOperation } from '../src/patch.ts'
import { anySegment, parsePathPattern } from '../src/path-pattern.ts'
import { escapeSegment } from '../src/pointer.ts'
import type { LabelRule } from '../src/recorded-definition.ts'

/** A copy without shared parts. */
export const clone = <T>(value: T): T => structuredClone(value)

const segmentsOf = ({ pattern }: LabelRule) => parsePathPattern(pattern)?.segments ?? []

const covers = (rule: LabelRule, place: readonly string[]): boolean => {
  const segments = segmentsOf(rule)
  return (
    segments.length <= place.length &&
    segments.every((segment, index) => segment === anySegment || segment === place[index])
  )
}

/** The label of a place, looked up pattern by pattern. */
export const naiveLabel = (rules: readonly LabelRule[], place: readonly string[]): number =>
  Math.max(0, ...rules.filter(rule => covers(rule, place)).map(({ label }) => label))

/** The state without the members that have a label above `ceiling`. */
export function strip(
  rules: readonly LabelRule[],
  value: JsonValue,
  ceiling: number,
  place: readonly string[] = [],
): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    return value.map((element, index) => strip(rules, element, ceiling, [...place, String(index)]))
  }
  const left: JsonObject = {}
  for (const [name, member] of Object.entries(value)) {
    const below = [...place, name]
    if (naiveLabel(rules, below) <= ceiling) left[name] = strip(rules, member, ceiling, below)
  }
  return left
}

/** True when patterns mean elements of an array by more than a `*` on the way. */
export function hasLabelInArray(
  rules: readonly LabelRule[],
  value: JsonValue,
  place: readonly string[] = [],
): boolean {
  if (typeof value !== 'object' || value === null) return false
  const isBad =
    Array.isArray(value) &&
    value.length > 0 &&
    rules.some(rule => {
      const segments = segmentsOf(rule)
      const next = segments[place.length]
      if (next === undefined || !covers({ ...rule, pattern: prefix(rule, place) }, place)) {
        return false
      }
      if (next !== anySegment) return /^(0|[1-9]\d*|-)$/.test(next)
      return segments.length === place.length + 1 && rule.label > naiveLabel(rules, place)
    })
  return (
    isBad ||
    Object.entries(value).some(([name, below]) => hasLabelInArray(rules, below, [...place, name]))
  )
}

const prefix = ({ pattern }: LabelRule, place: readonly string[]): string =>
  pattern
    .split('/')
    .slice(0, place.length + 1)
    .join('/')

const name = fc.constantFrom('a', 'b', 's', '0', '1', '~/')

/** Any JSON of a few names, many of them shared with `rules`. */
export const { value, object } = fc.letrec<{ value: JsonValue; object: JsonObject }>(tie => ({
  object: fc.dictionary(name, tie('value'), { maxKeys: 4 }) as fc.Arbitrary<JsonObject>,
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.nat({ max: 9 }),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
    tie('object'),
  ),
}))

/** A few patterns with labels. */
export const rules: fc.Arbitrary<LabelRule[]> = fc.array(
  fc.record({
    pattern: fc
      .array(fc.constantFrom('a', 'b', 's', '*', '*', '0', '~0~1'), { minLength: 1, maxLength: 4 })
      .map(segments => segments.map(segment => `/${segment}`).join('')),
    label: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 4 },
)

/** One change, before it is known what is there. */
export type Wish = {
  readonly way: readonly number[]
  readonly op: 'add' | 'replace' | 'remove'
  readonly name: string
  readonly value: JsonValue
}

export const wishes: fc.Arbitrary<Wish[]> = fc.array(
  fc.record({
    way: fc.array(fc.nat({ max: 20 }), { maxLength: 4 }),
    op: fc.constantFrom('add' as const, 'add' as const, 'replace' as const, 'remove' as const),
    name,
    value,
  }),
  { maxLength: 8 },
)

/** The patch that wishes come to, with the states on the way, the first and the last included. */
export function patchOf(
  state: JsonObject,
  wanted: readonly Wish[],
): { patch: PatchOperation[]; states: JsonObject[] } {
  const patch: PatchOperation[] = []
  const states = [clone(state)]
  for (const wish of wanted) {
    const now = states.at(-1) as JsonObject
    const operation = operationOf(now, wish)
    if (operation === undefined) continue
    const next = applyPatch(clone(now), [clone(operation)])
    if (next === undefined) throw new Error(`${JSON.stringify(operation)} applies`)
    patch.push(operation)
    states.push(next)
  }
  return { patch, states }
}

function operationOf(state: JsonObject, wish: Wish): PatchOperation | undefined {
  let container: JsonValue = state
  let path = ''
  for (const turn of wish.way) {
    const below: [string, JsonValue][] = Object.entries(container as JsonObject).filter(
      ([, value]) => typeof value === 'object' && value !== null,
    )
    const next = below[turn % Math.max(1, below.length)]
    if (next === undefined) break
    path += `/${escapeSegment(next[0])}`
    container = next[1]
  }
  const isRoot = wish.way.length === 0 && wish.name === '~/'
  if (isRoot && typeof wish.value === 'object' && !Array.isArray(wish.value)) {
    return { op: 'replace', path: '', value: clone(wish.value) }
  }
  const names = Object.keys(container as JsonObject)
  if (wish.op === 'add') {
    const length = Array.isArray(container) ? container.length : 0
    const key = Array.isArray(container) ? String((wish.way[0] ?? 0) % (length + 1)) : wish.name
    return { op: 'add', path: `${path}/${escapeSegment(key)}`, value: clone(wish.value) }
  }
  const key = names[(wish.way.at(-1) ?? 0) % Math.max(1, names.length)]
  if (key === undefined) return undefined
  const at = `${path}/${escapeSegment(key)}`
  return wish.op === 'remove'
    ? { op: 'remove', path: at }
    : { op: 'replace', path: at, value: clone(wish.value) }
}
