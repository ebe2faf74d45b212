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

/** Takes what has a higher label out of values. */
export class LabelCut {
  /** What was taken out: an `add` for each, itself cut. */
  readonly taken: { readonly label: number; readonly operation: PatchOperation }[] = []
  /** The first array found whose elements would have labels. */
  problem: LabelProblem | undefined

  /** `value` without what is labelled higher below it: itself when there is nothing. */
  cut(value: JsonValue, place: LabelledPlace): JsonValue {
    // Recursion ends where patterns do.
    if (place.nodes.length === 0 || typeof value !== 'object' || value === null) return value
    return isJsonObject(value) ? this.#object(value, place) : this.#array(value, place)
  }

  #array(elements: JsonValue[], { pointer, nodes, label }: LabelledPlace): JsonValue {
    const pattern = elements.length === 0 ? undefined : labelsElements(nodes, label)
    if (pattern !== undefined) {
      this.problem ??= labelInArray(pattern, pointer)
      return elements
    }
    const below = stepToElements(nodes)
    if (below.length === 0) return elements
    let fresh: JsonValue[] | undefined
    for (const [index, element] of elements.entries()) {
      const place = { pointer: `${pointer}/${index}`, nodes: below, label }
      const left = this.cut(element, place)
      if (left === element) continue
      fresh ??= [...elements]
      fresh[index] = left
    }
    return fresh ?? elements
  }

  #object(members: JsonObject, { pointer, nodes, label }: LabelledPlace): JsonValue {
    let fresh: JsonObject | undefined
    for (const name of meantMembers(nodes, members)) {
      const below = stepTo(nodes, name)
      if (below.length === 0) continue
      const place = {
        pointer: `${pointer}/${escapeSegment(name)}`,
        nodes: below,
        label: labelOf(below, label),
      }
      const member = members[name] as JsonValue
      const left = this.cut(member, place)
      if (place.label > label) {
        const operation = { op: 'add', path: place.pointer, value: left } as const
        this.taken.push({ label: place.label, operation })
        fresh ??= { ...members }
        delete fresh[name]
      } else if (left !== member) {
        fresh ??= { ...members }
        fresh[name] = left
      }
    }
    return fresh ?? members
  }
}

/** The problem of a pattern that means elements of the array at `pointer`. */
export const labelInArray = (pattern: string, pointer: Pointer): LabelProblem => ({
  code: 'FANFOLD_LABEL_IN_ARRAY',
  message: `labels stand at members of objects, ${pattern.slice(0, 100)} means elements of the array at ${pointer.slice(0, 100) || 'the root'}`,
})
