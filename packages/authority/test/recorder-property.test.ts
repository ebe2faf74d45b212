/*
 * Random handlers, run by the recorder on a state and by Immer on a copy: both must come to the same.
 * A copy where Immer would alias is explicit: the recorder copies what is assigned.
 */
import {
  applyPatch,
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonBytes,
} from '@fanfold/document'
import fc from 'fast-check'
import { createDraft, finishDraft } from 'immer'
import t from 'tap'
import { record } from '../src/recorder.ts'

/** One step of a random handler; numbers and texts are taken modulo what there is. */
type Step = {
  readonly kind: string
  /** Which way down to the container to work on. */
  readonly way: readonly number[]
  readonly key: string
  readonly a: number
  readonly b: number
  readonly value: JsonValue
}

const key = fc.constantFrom('a', 'b', 'c', '', '/', '~1', 'toString', 'length', '0', 'ü')
const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, 0, 1, 2, 'x', 'y'),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value
const root: fc.Arbitrary<JsonObject> = fc.dictionary(key, json, {
  maxKeys: 5,
  noNullPrototype: true,
})
const kinds = [
  'set',
  'set',
  'set',
  'delete',
  'push',
  'pop',
  'shift',
  'unshift',
  'splice',
  'splice',
  'sort',
  'reverse',
  'fill',
  'copyWithin',
  'length',
  'move',
  'copy',
  'filter',
  'spread',
  'takeOut',
  'keep',
  'clear',
] as const
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...kinds),
  way: fc.array(fc.nat(5), { maxLength: 4 }),
  key,
  a: fc.integer({ min: -3, max: 8 }),
  b: fc.nat(4),
  value: json,
})
const script = fc.array(step, { maxLength: 12 })

const isContainer = (value: unknown): value is JsonObject | JsonValue[] =>
  typeof value === 'object' && value !== null

/** The container that the way leads to, as far as it leads. */
function walk(root: JsonObject, way: readonly number[]): JsonObject | JsonValue[] {
  let at: JsonObject | JsonValue[] = root
  for (const turn of way) {
    const children: (JsonObject | JsonValue[])[] = Object.values(at).filter(isContainer)
    const next = children[turn % Math.max(1, children.length)]
    if (next === undefined) return at
    at = next
  }
  return at
}

/** A plain copy, of an Immer draft too. */
const copyOf = <Value>(value: Value): Value =>
  isContainer(value) ? JSON.parse(JSON.stringify(value)) : value

const rank = (a: unknown, b: unknown): number => {
  const [x, y] = [JSON.stringify(a), JSON.stringify(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

/** Runs a script on a draft, the recorder's or Immer's. */
function runScript(root: JsonObject, steps: readonly Step[], copy: <V>(value: V) => V): void {
  let kept: JsonObject | JsonValue[] | undefined
  for (const { kind, way, key, a, b, value } of steps) {
    const at = walk(root, way)
    const fresh = copyOf(value)
    if (kind === 'keep') kept = at
    else if (kind === 'takeOut') {
      // What was met before goes on being changed, wherever it is by now.
      if (isJsonObject(kept)) kept[key] = fresh
      else kept?.push(fresh)
    } else if (Array.isArray(at)) workOnArray(at, { kind, a, b, value: fresh }, root, copy)
    else workOnObject(at, { kind, key, a, b, value: fresh }, root, copy)
  }
}

function workOnArray(
  at: JsonValue[],
  step: { kind: string; a: number; b: number; value: JsonValue },
  root: JsonObject,
  copy: <V>(value: V) => V,
): void {
  const { kind, a, b, value } = step
  const index = at.length === 0 ? 0 : Math.abs(a) % at.length
  if (kind === 'set' || kind === 'delete') at[Math.abs(a) % (at.length + 1)] = value
  else if (kind === 'push') at.push(value, copyOf(value))
  else if (kind === 'pop') at.pop()
  else if (kind === 'shift') at.shift()
  else if (kind === 'unshift') at.unshift(value)
  else if (kind === 'splice') at.splice(a, b, ...(b % 2 === 0 ? [value] : [value, 'new']))
  else if (kind === 'sort') at.sort(rank)
  else if (kind === 'reverse') at.reverse()
  else if (kind === 'fill') at.fill(b, a)
  else if (kind === 'copyWithin' && !at.some(isContainer)) at.copyWithin(a, b)
  else if (kind === 'length') at.length = Math.min(at.length, b)
  else if (kind === 'clear') at.splice(0)
  else if (kind === 'filter') {
    const parent = Object.keys(root).find(name => root[name] === at)
    const rest = at.filter((_, i) => i % 3 !== b % 3)
    if (parent !== undefined) root[parent] = copy(rest)
  } else if (kind === 'copy' && index in at) at.push(copy(at[index] ?? null))
  else if (kind === 'move' && index in at) at.splice(b, 0, ...at.splice(index, 1).map(copy))
}

function workOnObject(
  at: JsonObject,
  step: { kind: string; key: string; a: number; b: number; value: JsonValue },
  root: JsonObject,
  copy: <V>(value: V) => V,
): void {
  const { kind, key, a, value } = step
  const keys = Object.keys(at)
  const other = keys[Math.abs(a) % Math.max(1, keys.length)]
  if (kind === 'delete' && other !== undefined) delete at[other]
  else if (kind === 'copy' && other !== undefined) {
    // A part assigned to its own place stays the part that it is.
    if (root !== at || other !== key) root[key] = copy(at[other] ?? null)
  } else if (kind === 'move' && other !== undefined) {
    const moved = copy(at[other] ?? null)
    delete at[other]
    at[key] = moved
  } else if (kind === 'spread' && other !== undefined) {
    const child = at[other]
    if (isJsonObject(child)) at[other] = { ...copy(child), [key]: value }
  } else if (kind === 'clear') for (const name of keys) delete at[name]
  else at[key] = value
}

const same = <Value>(value: Value): Value => value
const text = (state: JsonObject): string => canonicalJson(state)
const clone = (state: JsonObject): JsonObject => JSON.parse(JSON.stringify(state))
const options = { numRuns: 1_500 }

t.test('a handler does to the state what it does to a draft of Immer', async t => {
  fc.assert(
    fc.property(root, script, (start, steps) => {
      const state = clone(start)
      // A state's members are its own; Immer's drafts read inherited ones, which no script does.
      const draft = createDraft(clone(state))
      runScript(draft, steps, copyOf)
      const expected = finishDraft(draft)
      const result = record(state, draft => runScript(draft, steps, same))
      if (!result.ok) throw new Error(result.problem.message)
      if (text(state) !== text(expected)) throw new Error(`${text(state)} is not ${text(expected)}`)
    }),
    options,
  )
  t.pass(`${options.numRuns} scripts`)
})

t.test('the patch makes the new state of the old one, and the undo the old of the new', async t => {
  fc.assert(
    fc.property(root, fc.array(script, { minLength: 1, maxLength: 3 }), (start, scripts) => {
      const state = clone(start)
      const states = [clone(state)]
      const undos: (() => void)[] = []
      for (const steps of scripts) {
        const before = clone(state)
        const result = record(state, draft => runScript(draft, steps, same))
        if (!result.ok) throw new Error(result.problem.message)
        const patch = JSON.parse(JSON.stringify(result.patch))
        const applied = applyPatch(clone(before), patch)
        if (applied === undefined) throw new Error(`does not apply: ${JSON.stringify(patch)}`)
        if (text(applied) !== text(state)) throw new Error(`${text(applied)} is not ${text(state)}`)
        if (result.bytesDelta !== jsonBytes(state) - jsonBytes(before)) {
          throw new Error(`counted ${result.bytesDelta} bytes`)
        }
        undos.push(() => result.undo())
        states.push(clone(state))
      }
      for (const undo of undos.reverse()) {
        states.pop()
        undo()
        const before = states.at(-1)
        if (before === undefined || text(state) !== text(before)) throw new Error('not undone')
      }
    }),
    options,
  )
  t.pass(`${options.numRuns} sequences`)
})

t.test('a handler that throws anywhere leaves the state as it was', async t => {
  fc.assert(
    fc.property(root, script, (start, steps) => {
      const state = clone(start)
      const before = text(state)
      const result = record(state, draft => {
        runScript(draft, steps, same)
        throw new Error('half done')
      })
      if (result.ok || result.problem.message !== 'half done') throw new Error('was not reported')
      if (text(state) !== before) throw new Error(`${text(state)} is not ${before}`)
    }),
    options,
  )
  t.pass(`${options.numRuns} scripts`)
})
