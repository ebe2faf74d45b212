/*
 * Patterns as a trie, walked with all the nodes that a place is at: a member may be meant by its name
 * and by a `*` at once.
 */
import { anySegment, type PathPattern } from './path-pattern.ts'

/** What patterns say of the places that one prefix of theirs reaches. */
export class LabelNode {
  /** The highest label of the patterns that end here, 0 for none. */
  label = 0
  /** The pattern with that label, or one that goes through here. */
  readonly #through: string
  #ending: string | undefined
  readonly members: Map<string, LabelNode> = new Map()
  any: LabelNode | undefined
  /** The first of the patterns below that would count elements of an array. */
  indexed: string | undefined

  constructor(through = '') {
    this.#through = through
  }

  /** Text of the pattern that is to blame for what is here. */
  get pattern(): string {
    return this.#ending ?? this.#through
  }

  /** Adds a pattern, from this node as the root. */
  add(pattern: PathPattern, label: number): void {
    let node: LabelNode = this
    for (const segment of pattern.segments) node = node.#child(segment, pattern.text)
    if (label <= node.label) return
    node.label = label
    node.#ending = pattern.text
  }

  #child(segment: string | typeof anySegment, through: string): LabelNode {
    if (segment === anySegment) {
      this.any ??= new LabelNode(through)
      return this.any
    }
    if (isIndex(segment)) this.indexed ??= through
    let child = this.members.get(segment)
    if (child === undefined) {
      child = new LabelNode(through)
      this.members.set(segment, child)
    }
    return child
  }
}

/** The nodes that a place is at; none where no pattern goes on. */
export type LabelNodes = readonly LabelNode[]

const nowhere: LabelNodes = []

/** The nodes of the member or element `segment` of a place at `nodes`. */
export function stepTo(nodes: LabelNodes, segment: string): LabelNodes {
  if (nodes.length === 0) return nodes
  let next: LabelNode[] | undefined
  for (const node of nodes) {
    const member = node.members.get(segment)
    if (member !== undefined) next = append(next, member)
    if (node.any !== undefined) next = append(next, node.any)
  }
  return next ?? nowhere
}

/** The nodes of each element of an array at `nodes`: elements are only meant by `*`. */
export function stepToElements(nodes: LabelNodes): LabelNodes {
  let next: LabelNode[] | undefined
  for (const { any } of nodes) if (any !== undefined) next = append(next, any)
  return next ?? nowhere
}

/** The label of a place at `nodes` whose container has `label`. */
export function labelOf(nodes: LabelNodes, label: number): number {
  let highest = label
  for (const node of nodes) if (node.label > highest) highest = node.label
  return highest
}

/** The names of the members of `value` that patterns may mean. */
export function meantMembers(nodes: LabelNodes, value: object): string[] {
  if (nodes.some(({ any }) => any !== undefined)) return Object.keys(value)
  const names = new Set<string>()
  for (const { members } of nodes) {
    for (const name of members.keys()) if (Object.hasOwn(value, name)) names.add(name)
  }
  return [...names]
}

/** The pattern by which elements of an array at `nodes` would be labelled, or be counted. */
export function labelsElements(nodes: LabelNodes, label: number): string | undefined {
  for (const node of nodes) {
    if (node.indexed !== undefined) return node.indexed
    if (node.any !== undefined && node.any.label > label) return node.any.pattern
  }
  return undefined
}

/** True for a segment that means an element of an array if the container is one. */
export const isIndex = (segment: string): boolean => /^(?:0|[1-9][0-9]*|-)$/.test(segment)

function append(nodes: LabelNode[] | undefined, node: LabelNode): LabelNode[] {
  if (nodes === undefined) return [node]
  nodes.push(node)
  return nodes
}
