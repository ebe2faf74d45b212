/*
 * Makes a world that fails smaller while it fails in the same way, until nothing more goes: fewer
 * faults, shorter ones, fewer viewers and messages, a smaller tree, plain options.
 *
 * What is here proposes worlds, in order of preference, and is told which of them was the first that
 * still failed; it goes on from that one. Who runs them, how many at a time, and for how long is for
 * others. Viewers and messages are left out one by one and not counted down: each has been drawn as it
 * was, so that those that stay do what they did.
 */
import type { Fault } from './fault.ts'
import { defaultSimulationOptions, type SimulationOptions } from './simulation-options.ts'

/** Proposes smaller worlds; takes the index of the first that still failed, or undefined. */
export type Shrinking<Options> = Generator<readonly Options[], void, number | undefined>

/** How small each count may become. */
const leastCounts = {
  edges: 1,
  proxies: 0,
  documents: 1,
  documentsPerViewer: 1,
  writers: 1,
  definitionChanges: 0,
  deletions: 0,
  looks: 0,
  viewStatesMax: 0,
  busyMs: 100,
} as const satisfies Partial<Record<keyof SimulationOptions, number>>

type CountName = keyof typeof leastCounts

/** What is made smaller in a way of its own, or never: with less time everything would fail. */
const notPlain: ReadonlySet<string> = new Set<keyof SimulationOptions>([
  'convergeMaxMs',
  'faults',
  'viewers',
  'viewersKept',
  'writes',
  'writesKept',
])

/** A fault is no shorter, ms. */
const forMsLeast = 1

/** Smaller and smaller worlds, until there has been a round in which none of them failed. */
export function* shrink(options: SimulationOptions): Shrinking<SimulationOptions> {
  let best = options
  for (;;) {
    const before = JSON.stringify(best)
    best = yield* dropFaults(best)
    best = yield* shortenFaults(best)
    best = yield* dropViewers(best)
    best = yield* dropWrites(best)
    for (const name of countNames) best = yield* lowerCount(best, name)
    best = yield* plainOptions(best)
    if (JSON.stringify(best) === before) return
  }
}

type Stage = Generator<readonly SimulationOptions[], SimulationOptions, number | undefined>

const countNames = Object.keys(leastCounts).filter((name): name is CountName => name in leastCounts)

function* dropFaults(best: SimulationOptions): Stage {
  return yield* dropSome(best, best.faults, faults => ({ ...best, faults }))
}

function* shortenFaults(options: SimulationOptions): Stage {
  let best = options
  for (let index = 0; index < best.faults.length; index++) {
    best = yield* lower(
      best,
      forMsLeast,
      ({ faults }) => forMsOf(faults[index]),
      forMs => ({
        ...best,
        faults: best.faults.map((fault, at) => (at === index ? withForMs(fault, forMs) : fault)),
      }),
    )
  }
  return best
}

function* dropViewers(best: SimulationOptions): Stage {
  const { viewers, viewersKept = indexesOf(viewers) } = best
  return yield* dropSome(best, viewersKept, kept => {
    const count = lastOf(kept) + 1
    const viewersKept = kept.length === count ? undefined : kept
    return { ...best, viewers: count, viewersKept }
  })
}

function* dropWrites(best: SimulationOptions): Stage {
  const { writes, writesKept = indexesOf(writes) } = best
  return yield* dropSome(best, writesKept, kept => {
    // Times of a profile are drawn for all messages together.
    const count = best.writeProfile === undefined ? lastOf(kept) + 1 : writes
    const writesKept = kept.length === count ? undefined : kept
    return { ...best, writes: count, writesKept }
  })
}

function* lowerCount(options: SimulationOptions, name: CountName): Stage {
  return yield* lower(
    options,
    leastCounts[name],
    best => best[name],
    (count, best) => withCount(best, name, count),
  )
}

function* plainOptions(best: SimulationOptions): Stage {
  const special = Object.entries(plain).filter(
    ([name, value]) =>
      !notPlain.has(name) && !(name in leastCounts) && best[name as Name] !== value,
  )
  const all = { ...best }
  return yield* dropSome(best, special, kept => {
    const isKept = new Set(kept.map(([name]) => name))
    const made = special.filter(([name]) => !isKept.has(name))
    return { ...all, ...Object.fromEntries(made) }
  })
}

type Name = keyof SimulationOptions

/** Options by which nothing special happens: what has a share happens to none. */
const plain: Readonly<Record<string, unknown>> = Object.fromEntries(
  Object.entries(defaultSimulationOptions).map(([name, value]) => [
    name,
    name.endsWith('Share') ? 0 : value,
  ]),
)

/**
 * Leaves out as many items as it can: all, then halves, quarters and so on down to single ones.
 *
 * @returns the options with the items that are left
 */
function* dropSome<Item>(
  options: SimulationOptions,
  items: readonly Item[],
  make: (kept: readonly Item[]) => SimulationOptions,
): Stage {
  let kept = items
  let best = options
  for (let size = kept.length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length; ) {
      const rests: (readonly Item[])[] = []
      for (let start = from; start < kept.length; start += size) {
        rests.push([...kept.slice(0, start), ...kept.slice(start + size)])
      }
      const index = yield rests.map(make)
      const rest = index === undefined ? undefined : rests[index]
      if (index === undefined || rest === undefined) break
      kept = rest
      best = make(kept)
      from += index * size
    }
  }
  return best
}

/** Makes a number as small as it can: the least, then half of what is between, and so on. */
function* lower(
  options: SimulationOptions,
  least: number,
  read: (options: SimulationOptions) => number | undefined,
  write: (value: number, options: SimulationOptions) => SimulationOptions,
): Stage {
  let best = options
  for (;;) {
    const value = read(best)
    if (value === undefined || value <= least) return best
    const smaller: SimulationOptions[] = []
    for (let less = value - least; less >= 1; less = less === 1 ? 0 : Math.floor(less / 2)) {
      smaller.push(write(Math.max(least, Math.floor(value - less)), best))
    }
    if (smaller.length === 0) return best
    const index = yield smaller
    const found = index === undefined ? undefined : smaller[index]
    if (found === undefined) return best
    best = found
  }
}

/** The same world with less of something, and with no faults that it then has no place for. */
function withCount(options: SimulationOptions, name: CountName, count: number): SimulationOptions {
  const smaller = { ...options, [name]: count }
  const { edges, proxies } = smaller
  // What happens at a time of the whole happens at the same share of it.
  const atMs = (fault: Fault): number =>
    Math.round(fault.atMs * 1000 * (smaller.busyMs / options.busyMs)) / 1000
  return {
    ...smaller,
    faults: options.faults
      .filter(fault => namesOf(fault).every(node => hasNode({ edges, proxies }, node)))
      .map(fault => (name === 'busyMs' ? { ...fault, atMs: atMs(fault) } : fault)),
  }
}

function namesOf(fault: Fault): readonly string[] {
  const values: readonly unknown[] = Object.values(fault).flat()
  return values.filter(value => typeof value === 'string')
}

function hasNode(counts: { readonly edges: number; readonly proxies: number }, name: string) {
  const [, role, index] = /^(edge|proxy)-(\d+)$/.exec(name) ?? []
  if (role === undefined) return true
  return Number(index) < (role === 'edge' ? counts.edges : counts.proxies)
}

const forMsOf = (fault: Fault | undefined): number | undefined =>
  fault !== undefined && 'forMs' in fault ? fault.forMs : undefined

const withForMs = (fault: Fault, forMs: number): Fault =>
  'forMs' in fault ? { ...fault, forMs } : fault

const indexesOf = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

const lastOf = (indexes: readonly number[]): number => indexes.at(-1) ?? -1
