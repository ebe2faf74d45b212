import t from 'tap'
import type { Fault } from '../src/fault.ts'
import { shrink } from '../src/shrink.ts'
import { defaultSimulationOptions, type SimulationOptions } from '../src/simulation-options.ts'

/** Shrinks by a rule that says what fails. */
function shrunk(
  options: Partial<SimulationOptions>,
  fails: (options: SimulationOptions) => boolean,
): { readonly best: SimulationOptions; readonly runs: number } {
  const start: SimulationOptions = { ...defaultSimulationOptions, ...options }
  const steps = shrink(start)
  let best = start
  let runs = 0
  for (let step = steps.next(); step.done !== true; ) {
    const found = step.value.findIndex(candidate => {
      runs++
      return fails(candidate)
    })
    best = step.value[found] ?? best
    step = steps.next(found < 0 ? undefined : found)
  }
  return { best, runs }
}

const crash = (node: string, atMs: number): Fault => ({ kind: 'crash', node, atMs, forMs: 400 })

const kept = (all: readonly number[] | undefined, count: number): readonly number[] =>
  all ?? Array.from({ length: count }, (_, index) => index)

t.test('what always fails shrinks to a world of nearly nothing', async t => {
  const faults = [crash('proxy-0', 1), crash('proxy-1', 2)]
  const { best } = shrunk({ faults, slowShare: 0.8, convergeMaxMs: 160_000 }, () => true)
  t.match(best, {
    faults: [],
    viewers: 0,
    writes: 0,
    edges: 1,
    proxies: 0,
    documents: 1,
    busyMs: 100,
    definitionChanges: 0,
    slowShare: 0,
    duplicateShare: 0,
  })
  t.equal(best.convergeMaxMs, 160_000, 'with less time everything would fail')
})

t.test('the faults that it takes stay, as short as it takes', async t => {
  const faults = Array.from({ length: 20 }, (_, index) => crash(`proxy-${index % 3}`, index))
  const isLong = (fault: Fault): boolean => 'forMs' in fault && fault.forMs >= 37
  const { best } = shrunk({ faults, busyMs: 100 }, ({ faults }) =>
    [7, 11].every(atMs => faults.some(fault => fault.atMs === atMs && isLong(fault))),
  )
  t.same(best.faults, [
    { ...crash('proxy-1', 7), forMs: 37 },
    { ...crash('proxy-2', 11), forMs: 37 },
  ])
  t.equal(best.proxies, 3, 'a fault is at a node of the tree')
})

t.test(
  'viewers and messages are left out one by one, and those that stay are not counted anew',
  async t => {
    const { best, runs } = shrunk({ viewers: 24, writes: 200 }, options => {
      const viewers = kept(options.viewersKept, options.viewers)
      const writes = kept(options.writesKept, options.writes)
      return viewers.includes(5) && writes.includes(17) && writes.includes(120)
    })
    t.match(best, { viewers: 6, viewersKept: [5], writes: 121, writesKept: [17, 120] })
    t.ok(runs < 300, `${runs} runs`)
  },
)

t.test('the first messages alone are so many messages', async t => {
  const { best } = shrunk({ writes: 200 }, ({ writesKept, writes }) => {
    const indexes = kept(writesKept, writes)
    return [0, 1, 2].every(index => indexes.includes(index))
  })
  t.equal(best.writes, 3)
  t.equal(best.writesKept, undefined)
})

t.test('with less time faults happen at the same share of it', async t => {
  const { best } = shrunk(
    { faults: [crash('proxy-0', 1_000)], busyMs: 4_000 },
    ({ faults, busyMs }) => faults.length === 1 && busyMs >= 400,
  )
  t.equal(best.busyMs, 400)
  t.match(best.faults, [{ atMs: 100 }])
})

t.test('an option that it takes stays special, the others become plain', async t => {
  const special = { slowShare: 0.8, lingerMs: 0, creditBytes: 1, ringRecordsMax: 3 }
  const { best } = shrunk(
    special,
    ({ creditBytes, slowShare }) => creditBytes === 1 && slowShare > 0,
  )
  const { lingerMs, ringRecordsMax } = defaultSimulationOptions
  t.match(best, { creditBytes: 1, slowShare: 0.8, lingerMs, ringRecordsMax })
})
