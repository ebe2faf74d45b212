/*
 * What goes wrong on the ways of a world, drawn from its seed and the form of its tree. A partition that
 * comes and goes piece by piece, or a link that flaps, is made of cuts that each stand for themselves, so
 * that a failure can be made less one by one.
 */
import type { Prng } from '@fanfold/kernel'
import type { LinkFault } from './fault.ts'
import { authorityNames, firstParentOf, isAuthority, type TreeForm } from './tree-form.ts'

/** The tree whose links fail, and for how long it is busy. */
export type FaultyTree = TreeForm & {
  readonly edges: number
  readonly viewers: number
  readonly busyMs: number
}

/** Shortest and longest of what lasts for a while, ms. */
const lastsMinMs = 10
const lastsMaxMs = 5_000
/** So long it takes at most until all that are cut off one by one are, ms: a large tree has no longer faults. */
const oneByOneMaxMs = 10_000
/** Faults begin between these parts of the busy time. */
const beginsFrom = 0.03
const beginsTo = 0.97

type Place = { readonly from: string; readonly to: string }

/** A schedule of faults of links. */
export function drawLinkFaults(prng: Prng, tree: FaultyTree): readonly LinkFault[] {
  const groups = prng.chance(0.2) ? 10 + prng.below(15) : 1 + prng.below(6)
  return Array.from({ length: groups }, () => drawGroup(prng, tree)).flat()
}

function drawGroup(prng: Prng, tree: FaultyTree): readonly LinkFault[] {
  const atMs = rounded(tree.busyMs * (beginsFrom + (beginsTo - beginsFrom) * prng.fraction()))
  const forMs = drawLength(prng)
  const place = drawPlace(prng, tree)
  const draws: readonly (() => readonly LinkFault[])[] = [
    () => cutOf(prng, { place, atMs, forMs }),
    () => cutOf(prng, { place, atMs, forMs }),
    () => [{ kind: 'sever', ...place, atMs }],
    () => [{ kind: 'sever', ...place, atMs }],
    () => [{ kind: 'silence', ...place, atMs }],
    () => [{ kind: 'delay', ...place, atMs, forMs, byMs: drawLength(prng) }],
    () => [{ kind: 'slow-link', ...place, atMs, forMs, bytesPerSecond: drawSpeed(prng) }],
    () => [{ kind: 'refuse', node: drawServer(prng, tree), atMs, forMs }],
    () => [{ kind: 'black-hole', node: drawServer(prng, tree), atMs, forMs }],
    () => flap(prng, { place, atMs }),
    () => swizzle(prng, { tree, atMs }),
  ]
  return prng.pick(draws)()
}

/** One way or both. */
function cutOf(
  prng: Prng,
  { place, atMs, forMs }: { place: Place; atMs: number; forMs: number },
): readonly LinkFault[] {
  const there: LinkFault = { kind: 'cut', ...place, atMs, forMs }
  if (prng.chance(0.4)) return [there]
  return [there, { kind: 'cut', from: place.to, to: place.from, atMs, forMs }]
}

/** Up and down again and again. */
function flap(prng: Prng, { place, atMs }: { place: Place; atMs: number }): readonly LinkFault[] {
  const upMs = lastsMinMs + prng.below(800)
  const downMs = lastsMinMs + prng.below(1_500)
  const severs = prng.chance(0.4)
  return Array.from({ length: 2 + prng.below(7) }, (_, index): readonly LinkFault[] => {
    const beginsMs = rounded(atMs + index * (upMs + downMs))
    if (severs) return [{ kind: 'sever', ...place, atMs: beginsMs }]
    return cutOf(prng, { place, atMs: beginsMs, forMs: downMs })
  }).flat()
}

/** Some nodes are cut off one by one, and come back in another order. */
function swizzle(
  prng: Prng,
  { tree, atMs }: { tree: FaultyTree; atMs: number },
): readonly LinkFault[] {
  const share = prng.fraction()
  const nodes = nodesOf(tree).filter(() => prng.chance(share))
  const stepMs = Math.min(1 + prng.below(400), oneByOneMaxMs / nodes.length)
  const backMs = atMs + nodes.length * stepMs + drawLength(prng)
  const isOneWay = prng.chance(0.3)
  return shuffled(prng, nodes).flatMap((node, place): readonly LinkFault[] => {
    const beginsMs = rounded(atMs + place * stepMs)
    const endsMs = rounded(backMs + nodes.indexOf(node) * stepMs)
    const times = { atMs: beginsMs, forMs: rounded(endsMs - beginsMs) }
    const out: LinkFault = { kind: 'cut', from: node, to: '*', ...times }
    const back: LinkFault = { kind: 'cut', from: '*', to: node, ...times }
    if (isOneWay) return [prng.chance(0.5) ? out : back]
    return [out, back]
  })
}

/** Between whom: mostly a node and its parent, in one order or the other. */
function drawPlace(prng: Prng, tree: FaultyTree): Place {
  const [a, b] = drawPair(prng, tree)
  return prng.chance(0.5) ? { from: a, to: b } : { from: b, to: a }
}

function drawPair(prng: Prng, tree: FaultyTree): readonly [string, string] {
  const kind = prng.fraction()
  if (kind < 0.03) return ['*', '*']
  if (kind < 0.15) return [prng.pick(nodesOf(tree)), '*']
  if (kind < 0.35 && tree.viewers > 0) return [`viewer-${prng.below(tree.viewers)}`, '*']
  const children = nodesOf(tree).filter(node => !isAuthority(node))
  const child = prng.pick(children)
  // In a fleet anybody may be anybody's parent.
  if (authorityNames(tree).length > 1) return [child, prng.pick(parentsOf(tree))]
  return [child, firstParentOf(child, tree)]
}

/** One that others dial. */
const drawServer = (prng: Prng, tree: FaultyTree): string =>
  prng.pick(nodesOf(tree).filter(node => tree.viewers > 0 || !node.startsWith('edge')))

const parentsOf = (tree: FaultyTree): readonly string[] => [
  ...authorityNames(tree),
  ...Array.from({ length: tree.proxies }, (_, index) => `proxy-${index}`),
]

const nodesOf = (tree: FaultyTree): readonly string[] => [
  ...parentsOf(tree),
  ...Array.from({ length: tree.edges }, (_, index) => `edge-${index}`),
]

/** Short ones are as frequent as long ones. */
const drawLength = (prng: Prng): number =>
  rounded(lastsMinMs * (lastsMaxMs / lastsMinMs) ** prng.fraction())

/** Bytes in a second, 300 to 100,000. */
const drawSpeed = (prng: Prng): number => Math.round(300 * 333 ** prng.fraction())

/** Three decimals. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000

function shuffled<Item>(prng: Prng, items: readonly Item[]): readonly Item[] {
  const left = [...items]
  return items.map(() => left.splice(prng.below(left.length), 1)[0] as Item)
}
