/*
 * A patch is divided into parts that apply one after the other, lower labels first. So an operation
 * moves before earlier ones of higher labels, and those change for it: where it moves elements of an
 * array on their paths, their paths move along; what it overwrites or removes, they need not make.
 *
 * It never has to change for them: what has a higher label is at or below a labelled place, where
 * nothing of a lower label is, and labelled places are members of objects, which move nothing.
 */
import { assert } from '@fanfold/kernel'
import type { JsonObject } from './json.ts'
import { LabelCut, type LabelProblem, labelInArray } from './label-cut.ts'
import { isIndex, type LabelNodes, labelOf, labelsElements, stepTo } from './label-trie.ts'
import type { LabelParts, SplitPatch } from './labels.ts'
import type { PatchOperation } from './patch.ts'
import { shiftPlace } from './place-shift.ts'
import { parsePointer, pointerTo, valueAt } from './pointer.ts'

/** Looks at one operation in the light of another, in one patch: beyond it the patch is refused. */
export const comparisonsMax = 1_048_576

type Operation = Extract<PatchOperation, { op: 'add' | 'replace' | 'remove' }>

/** An operation of a part, with its path taken apart. */
type Step = { readonly segments: readonly string[]; readonly operation: Operation }

/** Divides one patch. */
export class PatchSplitter {
  readonly #root: LabelNodes
  readonly #after: JsonObject
  readonly #cut = new LabelCut()
  readonly #parts = new Map<number, Step[]>()
  /** Every place at or above an operation that has a label. */
  readonly #aboveLabelled = new Set<string>()
  #comparisons = 0
  /** For each operation whether its container is an array; made when it is needed. */
  #isInArray: readonly boolean[] | undefined

  constructor(root: LabelNodes, after: JsonObject) {
    this.#root = root
    this.#after = after
  }

  split(patch: readonly PatchOperation[]): SplitPatch {
    for (const [index, operation] of patch.entries()) {
      assert(isOperation(operation), `an authority adds, replaces and removes, got ${operation.op}`)
      this.#take(operation, index, patch)
      if (this.#cut.problem !== undefined) return { ok: false, ...this.#cut.problem }
    }
    const problem = this.#cut.problem
    if (problem !== undefined) return { ok: false, ...problem }
    if (this.#aboveLabelled.size === 0) return { ok: true, parts: new Map([[0, patch]]) }
    return { ok: true, parts: this.#finish() }
  }

  #finish(): LabelParts {
    const parts = [...this.#parts].filter(([, steps]) => steps.length > 0)
    parts.sort(([a], [b]) => a - b)
    return new Map(parts.map(([label, steps]) => [label, steps.map(step => step.operation)]))
  }

  #take(operation: Operation, index: number, patch: readonly PatchOperation[]): void {
    const { path } = operation
    const segments = segmentsOf(path)
    const { nodes, label } = this.#walk(segments)
    const { taken } = this.#cut
    taken.length = 0
    let own = operation
    if (operation.op !== 'remove') {
      const value = this.#cut.cut(operation.value, { pointer: path, nodes, label })
      if (value !== operation.value) own = { op: operation.op, path, value }
    }
    if (this.#movesLabelled(path, segments)) this.#moveUp(operation, segments, label, index, patch)
    this.#push(label, { segments, operation: own })
    const isAtEnd = taken.length > 0 && segments.at(-1) === '-'
    const container = isAtEnd ? valueAt(this.#after, segments.slice(0, -1)) : undefined
    assert(!Array.isArray(container), `an element is added at an index, got ${path.slice(0, 100)}`)
    for (const { label, operation } of taken) {
      assert(operation.op === 'add', 'what is taken out is added')
      this.#push(label, { segments: segmentsOf(operation.path), operation })
    }
  }

  #push(label: number, step: Step): void {
    const part = this.#parts.get(label)
    if (part === undefined) this.#parts.set(label, [step])
    else part.push(step)
    if (label > 0) this.#noteAbove(step.operation.path)
  }

  #noteAbove(path: string): void {
    let place = path
    for (; place !== '' && !this.#aboveLabelled.has(place); place = parentOf(place)) {
      this.#aboveLabelled.add(place)
    }
    this.#aboveLabelled.add('')
  }

  /** What the patterns say of a place; that elements of an array have labels is a problem. */
  #walk(segments: readonly string[]): { nodes: LabelNodes; label: number } {
    let nodes = this.#root
    let label = 0
    for (const [depth, segment] of segments.entries()) {
      if (nodes.length === 0) break
      const pattern = labelsElements(nodes, label)
      if (pattern !== undefined && Array.isArray(valueAt(this.#after, segments.slice(0, depth)))) {
        this.#cut.problem ??= labelInArray(pattern, pointerTo(segments.slice(0, depth)))
      }
      nodes = stepTo(nodes, segment)
      label = labelOf(nodes, label)
    }
    return { nodes, label }
  }

  /** Whether operations with labels can be at, below or behind what an operation changes. */
  #movesLabelled(path: string, segments: readonly string[]): boolean {
    if (this.#aboveLabelled.has(path)) return true
    return isIndex(segments.at(-1) ?? '') && this.#aboveLabelled.has(parentOf(path))
  }

  /** Moves an operation before those of higher labels. */
  #moveUp(
    { op }: Operation,
    segments: readonly string[],
    label: number,
    index: number,
    patch: readonly PatchOperation[],
  ): void {
    const higher = [...this.#parts].filter(([other]) => other > label)
    if (higher.length === 0) return
    this.#isInArray ??= this.#findArrays(patch)
    const shift = { op, segments, isInArray: this.#isInArray[index] === true }
    for (const [other, steps] of higher) {
      if (!this.#spend(steps.length)) return
      const moved: Step[] = []
      for (const step of steps) {
        const place = shiftPlace(step.segments, shift)
        if (place === step.segments) moved.push(step)
        else if (place !== undefined) moved.push(this.#moveTo(place, step))
      }
      this.#parts.set(other, moved)
    }
  }

  #moveTo(segments: readonly string[], { operation }: Step): Step {
    const path = pointerTo(segments)
    this.#noteAbove(path)
    return { segments, operation: { ...operation, path } }
  }

  /**
   * Whether the containers of operations are arrays, which a path does not say. Each container is
   * looked up where it comes to be; one that does not come to be takes with it all that depends on it.
   */
  #findArrays(patch: readonly PatchOperation[]): boolean[] {
    const places = patch.map(({ path }) => segmentsOf(path))
    const isInArray: boolean[] = []
    /** What has elements moved by the operations behind the one in hand. */
    const moving = new Set<string>()
    for (let index = patch.length - 1; index >= 0; index--) {
      const { op, path } = patch[index] as Operation
      const segments = places[index] as string[]
      if (op === 'replace' || !isIndex(segments.at(-1) ?? '')) continue
      const parent = parentOf(path)
      let place: readonly string[] | undefined = segments.slice(0, -1)
      if (this.#isBelow(moving, parent)) {
        if (!this.#spend(patch.length - index)) return isInArray
        for (let later = index + 1; later < patch.length && place !== undefined; later++) {
          place = shiftPlace(place, {
            op: (patch[later] as Operation).op,
            segments: places[later] as string[],
            isInArray: isInArray[later] === true,
          })
        }
      }
      isInArray[index] = place !== undefined && Array.isArray(valueAt(this.#after, place))
      if (isInArray[index]) moving.add(parent)
    }
    return isInArray
  }

  /** True when one of `places` is above `path`. */
  #isBelow(places: ReadonlySet<string>, path: string): boolean {
    if (places.size === 0) return false
    for (let above = path; above !== ''; ) {
      above = parentOf(above)
      if (places.has(above)) return true
    }
    return false
  }

  #spend(comparisons: number): boolean {
    this.#comparisons += comparisons
    if (this.#comparisons <= comparisonsMax) return true
    this.#cut.problem ??= tooMany
    return false
  }
}

const tooMany: LabelProblem = {
  code: 'FANFOLD_TOO_LARGE',
  message: `a change is divided by labels with at most ${comparisonsMax} comparisons of its operations`,
}

const isOperation = (operation: PatchOperation): operation is Operation =>
  operation.op === 'add' || operation.op === 'replace' || operation.op === 'remove'

function segmentsOf(path: string): string[] {
  const segments = parsePointer(path)
  assert(segments !== undefined, `a pointer, got ${path.slice(0, 100)}`)
  return segments
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
