/*
 * Patterns as a trie, walked along a path. Several patterns can fit one path (`/hands/*` and
 * `/hands/anna`), so what is walked is a set of nodes: a `Coverage` is such a set, and a step leads to
 * the next one. Steps are remembered, so that a walk is one look-up per segment; how many are
 * remembered is bounded, since what a definition can make of its patterns is exponential at worst.
 */
import { covers, type PrivacyRule } from '@fanfold/definition'
import { anySegment, type PathPattern, type Segment } from '@fanfold/document'

/** Steps that are remembered per definition; beyond them each walk makes its own. */
const rememberedStepsMax = 1_024

/** What patterns say at one place of a document. */
export class Coverage {
  /** Rules whose pattern ends here. */
  readonly rules: readonly PrivacyRule[]
  /** The highest label of a pattern that ends here; 0 where none does. */
  readonly label: number
  /**
   * The least clearance for which this is on the way to places of a rule, by names alone and without
   * a `*`; infinite where it is on none.
   */
  readonly wayLabel: number
  /** True when patterns go on below. */
  readonly hasBelow: boolean
  readonly #nodes: readonly PatternNode[]
  readonly #steps: Map<string, Coverage>
  readonly #memory: { left: number }
  /** The step of all names that no pattern mentions. */
  #otherStep: Coverage | undefined

  constructor(nodes: readonly PatternNode[], memory: { left: number }) {
    this.rules = nodes.flatMap(node => node.rules)
    this.label = nodes.reduce((highest, node) => Math.max(highest, node.label), 0)
    this.wayLabel = nodes.reduce(
      (least, node) => (node.isNamed ? Math.min(least, node.wayLabel) : least),
      Number.POSITIVE_INFINITY,
    )
    this.hasBelow = nodes.some(node => node.any !== undefined || node.named.size > 0)
    this.#nodes = nodes
    this.#steps = new Map()
    this.#memory = memory
  }

  /** What rules and labels say at the root, the start of every walk. */
  static compile(
    rules: readonly PrivacyRule[],
    labels: readonly { readonly pattern: PathPattern; readonly label: number }[],
  ): Coverage {
    const root = new PatternNode(true)
    for (const rule of rules) {
      const above = labels.filter(({ pattern }) => covers(pattern, rule.pattern))
      root.addRule(rule, Math.max(0, ...above.map(({ label }) => label)))
    }
    for (const { pattern, label } of labels) root.addLabel(pattern.segments, label)
    return new Coverage([root], { left: rememberedStepsMax })
  }

  /** What they say one step down. */
  below(name: string): Coverage {
    if (!this.hasBelow) return nowhere
    const known = this.#steps.get(name)
    if (known !== undefined) return known
    const isMentioned = this.#nodes.some(node => node.named.has(name))
    if (!isMentioned && this.#otherStep !== undefined) return this.#otherStep
    const step = this.#stepTo(name)
    if (!isMentioned) this.#otherStep = step
    else if (this.#memory.left > 0) {
      this.#memory.left--
      this.#steps.set(name, step)
    }
    return step
  }

  #stepTo(name: string): Coverage {
    const nodes: PatternNode[] = []
    for (const node of this.#nodes) {
      const named = node.named.get(name)
      if (named !== undefined) nodes.push(named)
      if (node.any !== undefined) nodes.push(node.any)
    }
    return nodes.length === 0 ? nowhere : new Coverage(nodes, this.#memory)
  }
}

/** Where no pattern leads. */
const nowhere = new Coverage([], { left: 0 })

/** A node of the trie: the patterns that begin with the segments on the way to it. */
class PatternNode {
  readonly named: Map<string, PatternNode> = new Map()
  any: PatternNode | undefined
  readonly rules: PrivacyRule[] = []
  label = 0
  /** The least label of all the places of a rule below. */
  wayLabel: number = Number.POSITIVE_INFINITY
  /** True when no `*` is on the way to it. */
  readonly isNamed: boolean

  constructor(isNamed: boolean) {
    this.isNamed = isNamed
  }

  /** @param label of all its places */
  addRule(rule: PrivacyRule, label: number): void {
    let node: PatternNode = this
    for (const segment of rule.pattern.segments) {
      node.wayLabel = Math.min(node.wayLabel, label)
      node = node.#at(segment)
    }
    node.rules.push(rule)
  }

  addLabel(segments: readonly Segment[], label: number): void {
    let node: PatternNode = this
    for (const segment of segments) node = node.#at(segment)
    node.label = Math.max(node.label, label)
  }

  #at(segment: Segment): PatternNode {
    if (segment === anySegment) {
      this.any ??= new PatternNode(false)
      return this.any
    }
    const known = this.named.get(segment)
    if (known !== undefined) return known
    const node = new PatternNode(this.isNamed)
    this.named.set(segment, node)
    return node
  }
}
