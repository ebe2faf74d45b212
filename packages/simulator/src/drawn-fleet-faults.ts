/*
 * What goes wrong in a fleet beside what goes wrong in any tree: where its members meet is out of reach or
 * emptied, and nodes are gone, stopped or cut off for long enough that the others give them up.
 */
import { instant, milliseconds, type Prng } from '@fanfold/kernel'
import type { FaultyTree } from './drawn-link-faults.ts'
import type { Fault } from './fault.ts'
import { authorityNames } from './tree-form.ts'

/** Such faults in one world at most. */
const faultsMax = 5
/** Share of those that strike all at once. */
const allShare = 0.3

/** Faults of a fleet, none of them later than its busy time. */
export function drawFleetFaults(prng: Prng, tree: FaultyTree): readonly Fault[] {
  return Array.from({ length: prng.below(faultsMax + 1) }, () => drawOne(prng, tree)).flat()
}

/** Share of the worlds in which logs lose what was acknowledged, and how often at most. */
const losingShare = 0.25
const lossesMax = 2

/** Losses of the logs of a fleet: of a moment mostly, as where the copy that takes over was up to date but for that. */
export function drawLogLosses(prng: Prng, { busyMs }: FaultyTree): readonly Fault[] {
  if (!prng.chance(losingShare)) return []
  return Array.from({ length: 1 + prng.below(lossesMax) }, () => ({
    kind: 'logs-fallen-back' as const,
    atMs: rounded(busyMs * (0.1 + 0.8 * prng.fraction())),
    byMs: rounded(prng.pick([50, 500, 2_000]) * prng.fraction()),
  }))
}

function drawOne(prng: Prng, tree: FaultyTree): readonly Fault[] {
  const atMs = rounded(tree.busyMs * (0.1 + 0.7 * prng.fraction()))
  const forMs = rounded(prng.chance(0.3) ? 100 + prng.below(2_000) : 2_000 + prng.below(8_000))
  const times = { atMs, forMs }
  const node = drawMember(prng, tree)
  const draws: readonly (() => readonly Fault[])[] = [
    () => [{ kind: 'coordinator-away', node: prng.chance(allShare) ? '*' : node, ...times }],
    () => [{ kind: 'coordinator-emptied', atMs }],
    () => [{ kind: 'crash', node, ...times }],
    () => [{ kind: 'pause', node, ...times }],
    () => cutOff(prng, node, times),
    // As one who is alone with nobody to ask: neither members nor logs.
    () => [
      { kind: 'coordinator-away', node, ...times },
      ...(node.startsWith('authority') ? [{ kind: 'log-away' as const, node, ...times }] : []),
      ...cutOff(prng, node, times),
    ],
  ]
  return prng.pick(draws)()
}

/** From everybody, one way or both. */
function cutOff(
  prng: Prng,
  node: string,
  times: { readonly atMs: number; readonly forMs: number },
): readonly Fault[] {
  const out: Fault = { kind: 'cut', from: node, to: '*', ...times }
  const back: Fault = { kind: 'cut', from: '*', to: node, ...times }
  return prng.chance(0.6) ? [out, back] : [prng.pick([out, back])]
}

/** Authorities as often as the others together. */
function drawMember(prng: Prng, tree: FaultyTree): string {
  if (prng.chance(0.5)) return prng.pick(authorityNames(tree))
  const { proxies, edges } = tree
  const index = prng.below(proxies + edges)
  return index < proxies ? `proxy-${index}` : `edge-${index - proxies}`
}

const rounded = (ms: number): number => instant(milliseconds(ms)) / 1000
