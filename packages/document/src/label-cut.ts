import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import {
  type LabelNodes,
  labelOf,
  labelsElements,
  meantMembers,
  stepTo,
  stepToElements,
} from './label-trie.ts'
import type { PatchOperation } from './patch.ts'
import { escapeSegment, type Pointer } from './pointer.ts'

/** Why values cannot be divided by labels. */
export type LabelProblem = {
  readonly code: 'FANFOLD_LABEL_IN_ARRAY' | 'FANFOLD_TOO_LARGE'
  readonly message: string
}

/** A value's place and what patterns say of it. */
export type LabelledPlace = {
  readonly pointer: Pointer
  readonly nodes: LabelNodes
  readonly label: number
}

/** Members and elements that are looked at without a pause. */
const looksMax = 256

/** Takes what has a higher label out of values. */
export class LabelCut {
  /** What was taken out: an `add` for each, itself cut. */
  readonly taken: { readonly label: number; readonly operation: PatchOperation }[] = []
  /** The first array found whose elements would have labels. */
  problem: LabelProblem | undefined
  #looks = 0

  /** `value` without what is labelled higher below it: itself when there is nothing. */
  cut(value: JsonValue, place: LabelledPlace): JsonValue {
    const cutting = this.cutting(value, place)
    for (;;) {
      const { done, value } = cutting.next()
      if (done === true) return value
    }
  }

  /** The same with pauses; the value must not change in them. */
  *cutting(value: JsonValue, place: LabelledPlace): Generator<undefined, JsonValue> {
    // Recursion ends where patterns do.
    if (!isCut(value, place)) return value
    return isJsonObject(value)
      ? yield* this.#object(value, place)
      : yield* this.#array(value, place)
  }

  *#array(
    elements: JsonValue[],
    { pointer, nodes, label }: LabelledPlace,
  ): Generator<undefined, JsonValue> {
    const pattern = elements.length === 0 ? undefined : labelsElements(nodes, label)
    if (pattern !== undefined) {
      this.problem ??= labelInArray(pattern, pointer)
      return elements
    }
    const below = stepToElements(nodes)
    if (below.length === 0) return elements
    let fresh: JsonValue[] | undefined
    for (const [index, element] of elements.entries()) {
      if (++this.#looks % looksMax === 0) yield
      const place = { pointer: `${pointer}/${index}`, nodes: below, label }
      const left = isCut(element, place) ? yield* this.cutting(element, place) : element
      if (left === element) continue
      fresh ??= [...elements]
      fresh[index] = left
    }
    return fresh ?? elements
  }

  *#object(
    members: JsonObject,
    { pointer, nodes, label }: LabelledPlace,
  ): Generator<undefined, JsonValue> {
    let fresh: JsonObject | undefined
    for (const name of meantMembers(nodes, members)) {
      if (++this.#looks % looksMax === 0) yield
      const below = stepTo(nodes, name)
      if (below.length === 0) continue
      const place = {
        pointer: `${pointer}/${escapeSegment(name)}`,
        nodes: below,
        label: labelOf(below, label),
      }
      const member = members[name] as JsonValue
      const left = isCut(member, place) ? yield* this.cutting(member, place) : member
      if (place.label > label) {
        const operation = { op: 'add', path: place.pointer, value: left } as const
        this.taken.push({ label: place.label, operation })
        fresh ??= yield* copied(members)
        delete fresh[name]
      } else if (left !== member) {
        fresh ??= yield* copied(members)
        fresh[name] = left
      }
    }
    return fresh ?? members
  }
}

/** Whether something may have to be taken out of a value. */
const isCut = (value: JsonValue, { nodes }: LabelledPlace): value is JsonObject | JsonValue[] =>
  nodes.length > 0 && typeof value === 'object' && value !== null

/** The same members in another object. */
function* copied(members: JsonObject): Generator<undefined, JsonObject> {
  const copy: JsonObject = {}
  let count = 0
  for (const name in members) {
    copy[name] = members[name] as JsonValue
    if (++count % looksMax === 0) yield
  }
  return copy
}

/** The problem of a pattern that means elements of the array at `pointer`. */
export const labelInArray = (pattern: string, pointer: Pointer): LabelProblem => ({
  code: 'FANFOLD_LABEL_IN_ARRAY',
  message: `labels stand at members of objects, ${pattern.slice(0, 100)} means elements of the array at ${pointer.slice(0, 100) || 'the root'}`,
})
