/*
 * Whether replicas show the same. Who stands at the same seq must show the same view. Who stands at another seq may:
 * records that touch nothing which a viewer may see are not sent to it, so of two that have everything one may stand
 * behind such a record and the other before it. So everything is had from where the lowest of them stands, when all show
 * the same and one of them is at the end: an edge that is cut off shows all its viewers the same, and none the end.
 */
import type { ReplicaView } from './replica-viewer.ts'

/** What a look at all replicas has shown. */
export type Comparison = {
  /** Views that differ at one place, in words. */
  readonly violations: readonly string[]
  /** Whether each was held against another one, or there is only one. */
  readonly isComplete: boolean
  /** The seq from which on a viewer has everything; undefined while that is not known. */
  readonly endSeq: number | undefined
}

/**
 * Holds replicas against each other. Those whose numbers are their own (dense) compare by their views alone.
 *
 * @param endSeq the last seq that is known
 */
export function compareReplicas(replicas: readonly ReplicaView[], endSeq: number): Comparison {
  const digests = new Set(replicas.map(({ sha256 }) => sha256))
  const numbered = replicas.filter(({ count }) => count === 0)
  const places = new Map<string, ReplicaView[]>()
  for (const replica of numbered) {
    const place = `${replica.epoch}:${replica.seq}`
    places.set(place, [...(places.get(place) ?? []), replica])
  }
  const violations = [...places].flatMap(([place, there]) => {
    const shown = new Set(there.map(({ sha256 }) => sha256)).size
    return shown === 1 ? [] : [`${there.length} replicas at ${place} show ${shown} views`]
  })
  const isSame = digests.size === 1
  const isReached = numbered.some(({ seq }) => seq >= endSeq)
  const isAlone = [...places.values()].some(({ length }) => length === 1)
  return {
    violations,
    isComplete: isSame || (numbered.length === replicas.length && !isAlone),
    endSeq: isSame && isReached ? Math.min(...numbered.map(({ seq }) => seq)) : undefined,
  }
}
