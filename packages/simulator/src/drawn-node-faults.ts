/*
 * Faults of nodes, drawn so that they often hit where it matters: amid an append, between two effects of
 * one turn, again while a node is about to come back.
 */
import { assert, instant, milliseconds, type Prng } from '@fanfold/kernel'
import type { FaultyTree } from './drawn-link-faults.ts'
import type { NodeFault } from './node-fault.ts'
import { authorityNames, isAuthority } from './tree-form.ts'

type Role = 'authority' | 'proxy' | 'edge'
type Kind = NodeFault['kind']
type Shape = { readonly kind: Kind; readonly weight: number }

/** Faults of one world at most. */
const faultsMax = 7

/** What may happen to each role, and how often one is drawn among the others. */
const shapes: Readonly<Record<Role, readonly Shape[]>> = {
  authority: [
    { kind: 'crash', weight: 3 },
    { kind: 'crash-at', weight: 6 },
    { kind: 'pause', weight: 2 },
    { kind: 'slow', weight: 1 },
    { kind: 'wall-clock', weight: 2 },
    { kind: 'disk-slow', weight: 1 },
    { kind: 'disk-full', weight: 3 },
    { kind: 'no-files', weight: 1 },
    { kind: 'disk-broken', weight: 2 },
  ],
  proxy: [
    { kind: 'crash', weight: 3 },
    { kind: 'drain', weight: 2 },
    { kind: 'crash-at', weight: 4 },
    { kind: 'pause', weight: 3 },
    { kind: 'slow', weight: 1 },
    { kind: 'disk-slow', weight: 1 },
    { kind: 'disk-full', weight: 1 },
    { kind: 'no-files', weight: 1 },
  ],
  edge: [
    { kind: 'crash', weight: 3 },
    { kind: 'crash-at', weight: 4 },
    { kind: 'pause', weight: 3 },
    { kind: 'slow', weight: 1 },
    { kind: 'wall-clock', weight: 2 },
  ],
}

/** Share of the worlds in which authorities and edges are drained. */
const drainShare = 0.4

/** Share of the worlds in which disks fail to read, and how often their node starts then and reads all. */
const unreadableShare = 0.4
const startShare = 0.6

/** Share of the worlds in which the log is out of reach, and how often its authority crashes meanwhile. */
const awayShare = 0.3
const awayCrashShare = 0.3

/** From when a record goes to the log until its writer knows: where a crash matters most. */
const durability: readonly string[] = ['log-append', 'log-appended', 'write-answered']
/** How often an authority is gone there, beside what else happens. */
const durabilityShare = 0.35

/** Moments that a process may be gone at: its inputs, and its effects. */
export const moments: Readonly<Record<Role, readonly string[]>> = {
  authority: [
    ...durability,
    'log-open',
    'log-opened',
    'log-records',
    'log-snapshot',
    'log-keep-snapshot',
    'log-snapshot-kept',
    'log-read',
    'write',
    'definition-loaded',
    'link-opened',
    'link-frame',
    'link-send',
    'worker-open',
    'worker-encoded',
  ],
  proxy: [
    'link-opened',
    'link-closed',
    'link-frame',
    'link-send',
    'link-signal',
    'warm-read',
    'warm-keep',
    'warm-kept',
    'worker-feed',
    'worker-encoded',
  ],
  edge: [
    'link-opened',
    'link-frame',
    'link-send',
    'load-variant',
    'variant-loaded',
    'viewer-opened',
    'viewer-requested',
    'viewer-drained',
    'viewer-transfer',
    'viewer-send',
    'cohort-enter',
    'cohort-move',
    'cohort-send',
    'worker-view',
    'worker-viewed',
  ],
}

/** Faults of the nodes of a tree, none of them later than its busy time. */
export function drawNodeFaults(prng: Prng, tree: FaultyTree): readonly NodeFault[] {
  const faults: NodeFault[] = []
  if (prng.chance(durabilityShare)) faults.push(drawLossOfMemory(prng, tree))
  for (let count = 1 + prng.below(faultsMax); count > 0; count--) {
    const role = drawRole(prng, tree)
    const last = faults.at(-1)
    // A node that is about to be well again is often hit at just that time.
    if (last !== undefined && prng.chance(0.25)) {
      const fromMs = Math.max(0, last.atMs + last.forMs - prng.below(60))
      faults.push(drawFault(prng, { role: roleOf(last.node), node: last.node, fromMs, tree }))
      continue
    }
    const fromMs = tree.busyMs * (0.05 + 0.8 * prng.fraction())
    faults.push(drawFault(prng, { role, node: drawNode(prng, role, tree), fromMs, tree }))
  }
  return faults
}

/** Authorities and edges that go in good order; those of proxies are drawn among the others. */
export function drawDrains(prng: Prng, tree: FaultyTree): readonly NodeFault[] {
  if (!prng.chance(drainShare)) return []
  return Array.from({ length: 1 + prng.below(2) }, () => {
    const node = drawNode(prng, prng.chance(0.5) ? 'authority' : 'edge', tree)
    const atMs = rounded(tree.busyMs * (0.05 + 0.8 * prng.fraction()))
    return { kind: 'drain' as const, node, atMs, forMs: rounded(drawMs(prng, 'drain')) }
  })
}

/** Disks that fail to read, of the authority and of proxies, in a stretch in which much is read. */
export function drawUnreadable(prng: Prng, tree: FaultyTree): readonly NodeFault[] {
  if (!prng.chance(unreadableShare)) return []
  return Array.from({ length: 1 + prng.below(2) }, () => drawFailingReads(prng, tree)).flat()
}

function drawFailingReads(prng: Prng, tree: FaultyTree): NodeFault[] {
  const role = tree.proxies > 0 && prng.chance(0.4) ? 'proxy' : 'authority'
  const node = drawNode(prng, role, tree)
  const atMs = rounded(tree.busyMs * (0.05 + 0.8 * prng.fraction()))
  const forMs = rounded(drawMs(prng, 'disk-unreadable'))
  const failing: NodeFault = { kind: 'disk-unreadable', node, atMs, forMs }
  if (!prng.chance(startShare)) return [failing]
  // It is back while its disk still fails.
  return [failing, { kind: 'crash', node, atMs, forMs: rounded(0.6 * forMs * prng.fraction()) }]
}

/** A log on another machine that does not answer for a while. */
export function drawLogAway(prng: Prng, tree: FaultyTree): readonly NodeFault[] {
  if (!prng.chance(awayShare)) return []
  const { busyMs } = tree
  const node = drawAuthority(prng, tree)
  return Array.from({ length: 1 + prng.below(2) }, (): NodeFault[] => {
    const atMs = rounded(busyMs * (0.05 + 0.8 * prng.fraction()))
    // Longer than an authority lets its writers wait, more often than not.
    const forMs = 50 + prng.below(prng.pick([900, 4_000, 4_000]))
    const away: NodeFault = { kind: 'log-away', node, atMs, forMs }
    if (!prng.chance(awayCrashShare)) return [away]
    const crashAtMs = rounded(Math.min(0.9 * busyMs, atMs + forMs * prng.fraction()))
    return [away, { kind: 'crash', node, atMs: crashAtMs, forMs: 50 + prng.below(1_000) }]
  }).flat()
}

/** An authority that is gone between an append and what its writers hear of it. */
function drawLossOfMemory(prng: Prng, tree: FaultyTree): NodeFault {
  const atMs = rounded(tree.busyMs * 0.7 * prng.fraction())
  const forMs = rounded(drawMs(prng, 'crash-at'))
  const lasting = { node: drawAuthority(prng, tree), atMs, forMs }
  const side = prng.pick(['before', 'after'] as const)
  return { kind: 'crash-at', ...lasting, side, what: prng.pick(durability), count: drawCount(prng) }
}

const drawCount = (prng: Prng): number => 1 + prng.below(prng.pick([1, 4, 20]))

function drawFault(
  prng: Prng,
  place: {
    readonly role: Role
    readonly node: string
    readonly fromMs: number
    readonly tree: FaultyTree
  },
): NodeFault {
  const { role, node, fromMs, tree } = place
  const atMs = rounded(Math.min(fromMs, 0.9 * tree.busyMs))
  const kind = drawWeighted(prng, shapes[role])
  const forMs = rounded(drawMs(prng, kind))
  const lasting = { node, atMs, forMs }
  switch (kind) {
    case 'crash-at': {
      const side = prng.pick(['before', 'after'] as const)
      const what = prng.pick(moments[role])
      return { kind, ...lasting, side, what, count: drawCount(prng) }
    }
    case 'slow':
      return { kind, ...lasting, inputMicros: 50 * 2 ** prng.below(7) }
    case 'wall-clock': {
      const byMs = prng.pick([-1, 1]) * prng.pick([1, 2_000, 90_000, 660_000, 3_600_000])
      return { kind, ...lasting, byMs, driftShare: prng.pick([0, 0, -0.1, 0.1]) }
    }
    case 'disk-slow':
      return { kind, ...lasting, byMs: prng.pick([5, 40, 200]) }
    default:
      return { kind, ...lasting }
  }
}

/** How long it lasts: for a blink, or long enough for others to notice. */
function drawMs(prng: Prng, kind: Kind): number {
  const isShort = prng.chance(0.3)
  switch (kind) {
    case 'crash':
    case 'disk-broken':
      return isShort ? prng.below(20) : 50 + prng.below(1_500)
    case 'drain':
      // It goes within 250 ms.
      return 300 + prng.below(600)
    case 'pause':
      return isShort ? 20 + prng.below(200) : 300 + prng.below(2_500)
    case 'crash-at':
      return 200 + prng.below(3_000)
    default:
      return isShort ? 100 : 200 + prng.below(2_000)
  }
}

function drawRole(prng: Prng, { proxies }: FaultyTree): Role {
  const role = prng.pick(['authority', 'authority', 'proxy', 'proxy', 'edge'] as const)
  return role === 'proxy' && proxies === 0 ? 'authority' : role
}

function drawNode(prng: Prng, role: Role, tree: FaultyTree): string {
  if (role === 'authority') return drawAuthority(prng, tree)
  return `${role}-${prng.below(role === 'proxy' ? tree.proxies : tree.edges)}`
}

function drawAuthority(prng: Prng, tree: FaultyTree): string {
  const names = authorityNames(tree)
  return names.length === 1 ? 'authority' : prng.pick(names)
}

function roleOf(node: string): Role {
  if (isAuthority(node)) return 'authority'
  return node.startsWith('proxy-') ? 'proxy' : 'edge'
}

function drawWeighted(prng: Prng, among: readonly Shape[]): Kind {
  let left = prng.below(among.reduce((sum, { weight }) => sum + weight, 0))
  for (const { kind, weight } of among) {
    if (left < weight) return kind
    left -= weight
  }
  assert(false, 'one of them was drawn')
}

const rounded = (ms: number): number => instant(milliseconds(ms)) / 1000
