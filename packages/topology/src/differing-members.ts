import type { ClusterFact } from './cluster-effect.ts'
import type { Placement } from './placement.ts'

/** Which members are set otherwise than the fleet, as far as that was told. */
export class DifferingMembers {
  readonly #self: string
  /** What each was set to when it was told. */
  #told: ReadonlyMap<string, string> = new Map()

  /** @param self the node that tells it, which may be one of them */
  constructor(self: string) {
    this.#self = self
  }

  /** What is to be told of a new view: each member once, and again when it differs in another way. */
  update(placement: Placement): ClusterFact[] {
    const { fingerprint: fleetFingerprint } = placement
    const facts: ClusterFact[] = []
    const differing = new Map<string, string>()
    for (const member of placement.members) {
      if (fleetFingerprint === undefined || !placement.differs(member)) continue
      const { node, fingerprint } = member
      differing.set(node, fingerprint)
      if (this.#told.get(node) === fingerprint) continue
      facts.push(
        node === this.#self
          ? { event: 'self-differs', fingerprint, fleetFingerprint }
          : { event: 'member-differs', node, fingerprint, fleetFingerprint },
      )
    }
    const wasDiffering = this.#told.has(this.#self)
    if (wasDiffering && !differing.has(this.#self)) facts.push({ event: 'self-agrees' })
    this.#told = differing
    return facts
  }
}
