import type { Prng } from '@fanfold/kernel'
import { durationOf, type Schedule, type Step } from './schedule.ts'

/** Which nodes there are to be broken, by name. */
export type Targets = {
  readonly authority: string
  readonly proxies: readonly string[]
  readonly edges: readonly string[]
  /** Where the clients are, a network without a node. */
  readonly clients: string
}

/**
 * Faults for so long, one or two at a time, drawn from a seed: processes that die and pause, links that
 * are cut, lose, slow down and break, and losses of power. No node is started again while it is dead, as
 * each fault of a node is over before the next one of that node.
 */
export function randomSchedule(prng: Prng, targets: Targets, lengthMs: number): Schedule {
  const steps: Step[] = []
  const busyUntilMs = new Map<string, number>()
  const all = [targets.authority, ...targets.proxies, ...targets.edges]
  for (let atMs = 500; atMs < lengthMs; atMs += 400 + prng.below(1_200)) {
    const step = drawStep(prng, targets, atMs)
    const nodes = step.fault === 'power-loss' ? all : 'node' in step.args ? [step.args.node] : []
    if (nodes.some(node => (busyUntilMs.get(node) ?? 0) > atMs)) continue
    const ms = durationOf(step)
    if (atMs + ms > lengthMs) continue
    // A node that was started again needs a while until it listens.
    const afterMs = step.fault === 'kill' || step.fault === 'power-loss' ? 3_000 : 100
    for (const node of nodes) busyUntilMs.set(node, atMs + ms + afterMs)
    steps.push(step)
  }
  return steps
}

function drawStep(prng: Prng, targets: Targets, atMs: number): Step {
  const { authority, proxies, edges, clients } = targets
  const node = prng.pick([authority, ...proxies, ...edges])
  const others = [authority, ...proxies, ...edges, clients].filter(one => one !== node)
  const ms = prng.pick([200, 800, 2_000, 4_000])
  const fault = prng.pick([
    ...(['kill', 'kill', 'pause', 'pause', 'cut', 'cut', 'unplug', 'break', 'reset'] as const),
    ...(['refuse', 'black-hole', 'loss', 'slow', 'power-loss', 'starve'] as const),
  ])
  switch (fault) {
    case 'kill':
      return { atMs, fault, args: { node, downMs: prng.below(1_500) } }
    case 'cut': {
      const way = prng.pick(['both', 'in', 'out'] as const)
      return { atMs, fault, args: { node, other: prng.pick(others), way, ms } }
    }
    case 'break':
      return { atMs, fault, args: { node } }
    case 'loss':
      return { atMs, fault, args: { node, share: prng.pick([0.05, 0.3]), ms } }
    case 'slow':
      return { atMs, fault, args: { node, rate: prng.pick(['64kbit', '512kbit']), ms } }
    case 'power-loss':
      return { atMs, fault, args: { downMs: prng.below(1_000) } }
    case 'starve':
      return { atMs, fault, args: { node, percent: 10, ms } }
    default:
      return { atMs, fault, args: { node, ms } }
  }
}
