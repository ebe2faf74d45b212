import type { JsonObject, JsonValue } from './json.ts'
import { LabelCut, type LabelProblem, labelInArray } from './label-cut.ts'
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

/** What a change of labels moves, operation by operation, each in the part of its label. */
export type LabelDifference = {
  readonly operations: readonly { readonly label: number; readonly operation: PatchOperation }[]
  readonly problem: LabelProblem | undefined
}

/** What takes replicas of `state` from labels to other labels, both as nodes of the root. */
export function labelDifference(
  state: JsonObject,
  before: LabelNodes,
  after: LabelNodes,
): LabelDifference {
  const walk = new DifferenceWalk()
  walk.visit(state, { pointer: '', before, after, label: 0 })
  return { operations: walk.operations, problem: walk.problem }
}

/** A place that has the same label before and after. */
type Place = {
  readonly pointer: Pointer
  readonly before: LabelNodes
  readonly after: LabelNodes
  readonly label: number
}

class DifferenceWalk {
  readonly operations: { label: number; operation: PatchOperation }[] = []
  problem: LabelProblem | undefined

  /** Recursion ends where patterns do. */
  visit(value: JsonValue, place: Place): void {
    if (place.before.length === 0 && place.after.length === 0) return
    if (typeof value !== 'object' || value === null) return
    if (Array.isArray(value)) this.#array(value, place)
    else this.#object(value, place)
  }

  #array(elements: readonly JsonValue[], { pointer, before, after, label }: Place): void {
    const pattern = elements.length === 0 ? undefined : labelsElements(after, label)
    if (pattern !== undefined) {
      this.problem ??= labelInArray(pattern, pointer)
      return
    }
    const below = { before: stepToElements(before), after: stepToElements(after), label }
    for (const [index, element] of elements.entries()) {
      this.visit(element, { ...below, pointer: `${pointer}/${index}` })
    }
  }

  #object(members: JsonObject, { pointer, before, after, label }: Place): void {
    for (const name of meantMembers([...before, ...after], members)) {
      const below = {
        pointer: `${pointer}/${escapeSegment(name)}`,
        before: stepTo(before, name),
        after: stepTo(after, name),
      }
      const from = labelOf(below.before, label)
      const to = labelOf(below.after, label)
      const member = members[name] as JsonValue
      if (from === to) this.visit(member, { ...below, label: from })
      else this.#move(member, { pointer: below.pointer, nodes: below.after, from, to })
    }
  }

  /** A replica that has the value and keeps it gets it again, cut by the new labels. */
  #move(
    value: JsonValue,
    place: { pointer: Pointer; nodes: LabelNodes; from: number; to: number },
  ): void {
    const { pointer, nodes, from, to } = place
    const cut = new LabelCut()
    const left = cut.cut(value, { pointer, nodes, label: to })
    this.problem ??= cut.problem
    if (to > from) this.operations.push({ label: from, operation: { op: 'remove', path: pointer } })
    this.operations.push({ label: to, operation: { op: 'add', path: pointer, value: left } })
    this.operations.push(...cut.taken)
  }
}
