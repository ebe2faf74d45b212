/*
 * The end of a load test: nothing more is written, or others go on writing, and every viewer has to be where the last
 * delta was. One more viewer comes now, and is shown a snapshot: what it sees is what all of them must see. A record
 * that viewers may not see is not sent to them, so who is behind it by number has everything all the same; that the
 * views are equal tells so.
 */
import type { Clock } from '../terminal.ts'
import { type Comparison, compareReplicas } from './compare-replicas.ts'
import type { ReplicaViewer } from './replica-viewer.ts'
import type { Swarm } from './swarm.ts'
import type { SwarmLook } from './swarm-message.ts'

const lookEveryMs = 100
/** When nobody went on for so long, it may be that there is nothing to go on to, ms. */
const quietMs = 1_000
/** Looks at replicas until each was seen beside another one. */
const comparisonsMax = 20

/** How it ended. */
export type Settled = {
  readonly looks: readonly SwarmLook[]
  /** Views that differ, and viewers that are behind, in words. */
  readonly violations: readonly string[]
  /** Whether every replica was held against another one. */
  readonly isCompared: boolean
  /** Records up to the last one that is known which nobody was shown. */
  readonly unseen: number
}

/** Waits until viewers are at `endSeq` or show the same, at most for so long. */
export async function settle(options: {
  readonly swarm: Pick<Swarm, 'look'>
  /** The viewer that comes now; it is opened and closed here. */
  readonly late: Pick<ReplicaViewer, 'open' | 'close' | 'show' | 'place'>
  /** The last seq that is known. */
  readonly endSeq: number
  readonly clock: Clock
  readonly settleMs: number
}): Promise<Settled> {
  const { swarm, late, endSeq, clock, settleMs } = options
  const deadline = clock.now() + settleMs
  late.open()
  const compare = async (end = endSeq): Promise<Comparison> => {
    const looks = await swarm.look({ endSeq: end, withViews: true })
    const shown = late.show()
    const replicas = looks.flatMap(look => look.replicas)
    return compareReplicas(shown === undefined ? replicas : [...replicas, shown], end)
  }
  try {
    await untilThere({ swarm, endSeq, clock, deadline, compare })
    const violations = new Set<string>()
    let comparison = await compare()
    for (let count = 1; count < comparisonsMax; count++) {
      for (const violation of comparison.violations) violations.add(violation)
      if (comparison.isComplete && late.place !== undefined) break
      await clock.wait(lookEveryMs)
      comparison = await compare()
    }
    for (const violation of comparison.violations) violations.add(violation)
    const there = await swarm.look({ endSeq: comparison.endSeq ?? endSeq })
    // What nobody was shown is missing; but only who is behind others was not sent what it should have been.
    const reached = Math.max(late.place?.seq ?? 0, ...there.map(({ seqMax }) => seqMax))
    const goal = Math.min(endSeq, reached)
    const goalSeq = (await compare(goal)).endSeq ?? goal
    const behind = sumOf(await swarm.look({ endSeq: goalSeq }), look => look.behind)
    if (behind > 0) violations.add(`${behind} viewers that are live are not at seq ${goalSeq}`)
    return {
      looks: there,
      violations: [...violations],
      isCompared: comparison.isComplete,
      unseen: endSeq - goal,
    }
  } finally {
    late.close()
  }
}

const sumOf = (looks: readonly SwarmLook[], of: (look: SwarmLook) => number): number =>
  looks.reduce((sum, look) => sum + of(look), 0)

async function untilThere(options: {
  readonly swarm: Pick<Swarm, 'look'>
  readonly endSeq: number
  readonly clock: Clock
  readonly deadline: number
  readonly compare: () => Promise<Comparison>
}): Promise<void> {
  const { swarm, endSeq, clock, deadline, compare } = options
  let sumBefore = -1
  let changedAt = clock.now()
  while (clock.now() < deadline) {
    const looks = await swarm.look({ endSeq })
    if (looks.every(({ missing }) => missing === 0)) return
    const sum = sumOf(looks, ({ seqSum }) => seqSum)
    if (sum !== sumBefore) changedAt = clock.now()
    sumBefore = sum
    if (clock.now() - changedAt >= quietMs) {
      const { endSeq: sameFrom } = await compare()
      if (sameFrom !== undefined) {
        const again = await swarm.look({ endSeq: sameFrom })
        if (again.every(({ missing }) => missing === 0)) return
      }
    }
    await clock.wait(lookEveryMs)
  }
}
