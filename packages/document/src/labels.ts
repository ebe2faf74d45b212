/*
 * Labels say from which trust ceiling on a value may cross a link. A record holds what it does in
 * parts, one per label: here patches and states are divided into them, so that a replica below any
 * ceiling, applying the parts it was given in rising order, has exactly the state without what is
 * labelled higher.
 */
import { assert } from '@fanfold/kernel'
import type { JsonObject } from './json.ts'
import { labelDifference } from './label-change.ts'
import { LabelCut, type LabelProblem } from './label-cut.ts'
import { PatchSplitter } from './label-split.ts'
import { LabelNode, type LabelNodes, labelOf, stepTo } from './label-trie.ts'
import type { PatchOperation } from './patch.ts'
import { anySegment, parsePathPattern } from './path-pattern.ts'
import type { LabelRule } from './recorded-definition.ts'

/** A patch in parts by label, in rising order and none of them empty, or why it cannot be divided. */
export type SplitPatch =
  | { readonly ok: true; readonly parts: LabelParts }
  | ({ readonly ok: false } & LabelProblem)

/** Patches by the label of the part that holds them. */
export type LabelParts = ReadonlyMap<number, readonly PatchOperation[]>

/** The labels of a definition. */
export class Labels {
  /** Every value is public. */
  static readonly none: Labels = new Labels([])

  /** The labels that are used, over 0, rising. */
  readonly used: readonly number[]
  readonly #root: LabelNodes

  private constructor(rules: readonly LabelRule[]) {
    const root = new LabelNode()
    for (const { pattern, label } of rules) {
      const parsed = parsePathPattern(pattern)
      assert(parsed !== undefined, `a path pattern, got ${pattern}`)
      // The document itself is an object at every ceiling: a label of all is one of each member.
      const isRoot = parsed.segments.length === 0
      root.add(isRoot ? { text: pattern, segments: [anySegment] } : parsed, label)
    }
    this.#root = rules.length === 0 ? [] : [root]
    this.used = [...new Set(rules.map(({ label }) => label))]
      .filter(label => label > 0)
      .sort((a, b) => a - b)
  }

  /** The labels that the rules give; their patterns are ones. */
  static compile(rules: readonly LabelRule[]): Labels {
    return rules.length === 0 ? Labels.none : new Labels(rules)
  }

  /** True when nothing has a label. */
  get isEmpty(): boolean {
    return this.used.length === 0
  }

  /** The label of the value at a place: the highest of the patterns at it or above. */
  labelAt(segments: readonly string[]): number {
    let nodes = this.#root
    let label = 0
    for (const segment of segments) {
      nodes = stepTo(nodes, segment)
      if (nodes.length === 0) return label
      label = labelOf(nodes, label)
    }
    return label
  }

  /**
   * A patch of `add`, `replace` and `remove` in parts. Values are taken over, and copied only where
   * something is cut out of them.
   *
   * Each container on an operation's path is then where it is when all operations are done, or gone
   * by then: an authority's patches change containers before what is in them.
   *
   * @param after the state that the patch leads to
   */
  splitPatch(patch: readonly PatchOperation[], after: JsonObject): SplitPatch {
    if (patch.length === 0) return { ok: true, parts: new Map() }
    if (this.isEmpty || patch.every(operation => !this.#mayTouch(operation))) {
      return { ok: true, parts: new Map([[0, patch]]) }
    }
    return new PatchSplitter(this.#root, after).split(patch)
  }

  /** A state in parts: in the public one an `add` of the whole without what is labelled. */
  splitState(state: JsonObject): SplitPatch {
    const splitting = this.splittingState(state)
    for (;;) {
      const { done, value } = splitting.next()
      if (done === true) return value
    }
  }

  /** The same with pauses; the state must not change in them. */
  *splittingState(state: JsonObject): Generator<undefined, SplitPatch> {
    const cut = new LabelCut()
    const left = yield* cut.cutting(state, { pointer: '', nodes: this.#root, label: 0 })
    if (cut.problem !== undefined) return { ok: false, ...cut.problem }
    const root = { label: 0, operation: { op: 'add', path: '', value: left } as const }
    return { ok: true, parts: partsOf([root, ...cut.taken]) }
  }

  /**
   * What takes replicas at every ceiling from the labels `before` to these: a value whose label rises
   * is removed in the part of the old one and added in the part of the new one; one whose label falls
   * is added in the part of the new one, for those who have it already over what they have.
   */
  relabel(state: JsonObject, before: Labels): SplitPatch {
    const difference = labelDifference(state, before.#root, this.#root)
    if (difference.problem !== undefined) return { ok: false, ...difference.problem }
    return { ok: true, parts: partsOf(difference.operations) }
  }

  /** Whether an operation may be at, below or above a place that has a label. */
  #mayTouch({ op, path }: PatchOperation): boolean {
    if (op !== 'add' && op !== 'replace' && op !== 'remove') return true
    let nodes = this.#root
    for (let start = 1; start <= path.length; ) {
      const slash = path.indexOf('/', start)
      const end = slash < 0 ? path.length : slash
      // A name with an escape is rare: the slow way takes it apart.
      const segment = path.slice(start, end)
      if (segment.includes('~') || nodes.some(({ indexed }) => indexed !== undefined)) return true
      nodes = stepTo(nodes, segment)
      if (nodes.length === 0) return false
      if (labelOf(nodes, 0) > 0) return true
      start = end + 1
    }
    return true
  }
}

/** Labelled operations as parts. */
function partsOf(
  operations: readonly { readonly label: number; readonly operation: PatchOperation }[],
): LabelParts {
  const parts = new Map<number, PatchOperation[]>()
  for (const { label, operation } of operations) {
    const part = parts.get(label)
    if (part === undefined) parts.set(label, [operation])
    else part.push(operation)
  }
  return new Map([...parts].sort(([a], [b]) => a - b))
}
