/*
 * Viewers that say something, and keep what they were told of it. Each says a kind of its own, so that what
 * the document counts of a kind is to be compared with one viewer's answers.
 */
import { isJsonObject, type JsonValue } from '@fanfold/document'
import { until } from '@fanfold/nemesis'
import type { ClusterNode } from './cluster-node.ts'
import { RawViewer } from './raw-viewer.ts'

/** What became of what was said with an id. */
export type Told = 'counted' | 'unknown' | 'rejected'

const outcomes: ReadonlySet<string> = new Set<Told>(['counted', 'unknown', 'rejected'])

/** A viewer that cheers with its own kind. */
export class CrowdViewer {
  readonly kind: string
  readonly node: ClusterNode
  readonly viewer: RawViewer
  /** Messages so far; their numbers are their ids. */
  said = 0

  private constructor(kind: string, node: ClusterNode, viewer: RawViewer) {
    this.kind = kind
    this.node = node
    this.viewer = viewer
  }

  /** Connects to an edge, and observes. */
  static async open(
    kind: string,
    node: ClusterNode,
    asks: { readonly token: string; readonly doc: string },
  ): Promise<CrowdViewer> {
    return new CrowdViewer(kind, node, await RawViewer.open({ url: node.url, ...asks }))
  }

  /** Cheers so often. */
  cheer(times: number): void {
    for (let left = times; left > 0; left--) {
      this.viewer.add({ reducer: 'cheer', value: { kind: this.kind }, id: this.said++ })
    }
  }

  /** Of how many of its cheers it was told this. */
  count(told: Told): number {
    return this.viewer.small.filter(({ type, id }) => type === told && this.#isCheer(id)).length
  }

  /** Ids of cheers that it was told something of, each as often as it was. */
  get toldIds(): readonly unknown[] {
    const told = this.viewer.small.filter(({ type }) => outcomes.has(type))
    return told.map(({ id }) => id).filter(id => this.#isCheer(id))
  }

  /** How often its kind is in the document, as this viewer is shown it. */
  shown(): number {
    return countOf(this.viewer.state?.['cheers'], this.kind)
  }

  #isCheer(id: unknown): boolean {
    return typeof id === 'number' && id < this.said
  }
}

/** How often a kind was counted. */
export const countOf = (cheers: JsonValue | undefined, kind: string): number =>
  isJsonObject(cheers) ? Number(cheers[kind] ?? 0) : 0

/** Waits until each viewer was told of all that it said. */
export async function untilTold(viewers: readonly CrowdViewer[]): Promise<void> {
  const waiting = (): readonly CrowdViewer[] =>
    viewers.filter(({ said, toldIds }) => toldIds.length < said)
  await until('all viewers are told', () => waiting().length === 0, 60_000)
}
