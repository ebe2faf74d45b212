// What a crowd costs: messages folded at an edge, aggregates merged at a proxy, and what reaches the authority by the
// number of viewers and of edges, on virtual time, with the time until edges hear that it is counted.
import { performance } from 'node:perf_hooks'
import { Prng } from '@fanfold/kernel'
import { Combiner, Origin } from '@fanfold/reduction'
import { countBy, defineDocument, reducer } from 'fanfold'
import { CrowdTree } from './crowd-tree.mjs'
import { quantile, report } from './report.mjs'

const rounds = Number(process.env.ROUNDS ?? 5)
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 10)
/** Each viewer says something so often. */
const everyMs = 10_000

/** As a schema that takes everything: what is measured is what comes after. */
const any = { '~standard': { version: 1, vendor: 'bench', validate: value => ({ value }) } }
const kinds = Array.from({ length: 143 }, (_, index) => `kind-${index}`)
const cheers = countBy({ top: 256 })

const definition = defineDocument({
  type: 'crowd',
  state: () => ({ kinds: {} }),
  messages: {},
  reducers: {
    cheer: reducer({
      message: any,
      into: countBy({ top: 256 }),
      apply: (state, counts) => {
        for (const [kind, times] of counts) state.kinds[kind] = (state.kinds[kind] ?? 0) + times
      },
    }),
  },
})

const voice = { id: 'viewer', timeMs: 0, stamp: 0, draw: () => 0 }
const timed = run => {
  const start = performance.now()
  run()
  return (performance.now() - start) / 1_000
}

/** Messages that one edge folds in a second, a window closed every 10,000. */
function fold() {
  const messages = 2_000_000
  const run = () => {
    const origin = new Origin()
    origin.begin(1)
    let upTo = 0
    for (let at = 0; at < messages; at++) {
      origin.fold('cheer', cheers, kinds[(at * 31) % kinds.length], voice)
      if (at % 10_000 !== 9_999) continue
      origin.close()
      upTo++
      origin.answered({ session: 1, state: 'open', upTo })
    }
  }
  run()
  const values = Array.from({ length: rounds }, () => messages / timed(run))
  report({ bench: 'crowd: folded by countBy, 143 kinds', unit: 'messages/s', values, aim: 300_000 })
}

/** What one child costs a proxy each time: its aggregate merged with those of the others. */
function merge() {
  const window = session => {
    const origin = new Origin()
    origin.begin(session)
    for (let at = 0; at < 10_000; at++)
      origin.fold('cheer', cheers, kinds[(at * 31) % kinds.length], voice)
    return origin.say()
  }
  for (const children of [2, 32]) {
    const said = Array.from({ length: children }, (_, index) => window(index + 1))
    const times = Math.ceil(2_000 / children)
    const run = () => {
      for (let round = 0; round < times; round++) {
        const combiner = new Combiner()
        for (const [child, one] of said.entries()) combiner.receive(child, 1, one)
        combiner.next()
      }
    }
    run()
    const values = Array.from({ length: rounds }, () => (timed(run) * 1e6) / (times * children))
    report({ bench: `crowd: merged of ${children} children, 143 kinds`, unit: 'µs/child', values })
  }
}

/** What reaches the authority of so many viewers behind so many edges, and how soon. */
function inbound(viewers, edges) {
  const tree = new CrowdTree({ definition, edges: Math.min(edges, viewers) })
  const prng = new Prng(`${viewers} ${edges}`)
  const { agenda } = tree
  const startMs = agenda.nowMs
  const endMs = startMs + seconds * 1_000
  const waiting = tree.edges.map(() => new Map())
  const latencies = []
  let [said, counted, records] = [0, 0, 0]
  for (const [at, edge] of tree.edges.entries()) {
    edge.outcomes = outcomes => {
      for (const { window, kind } of outcomes) {
        if (kind !== 'counted') throw new Error(`a window is ${kind}`)
        const { times, firstMs } = waiting[at].get(window)
        waiting[at].delete(window)
        counted += times
        // Of the window's first message, which has waited longest, until its edge hears that it is counted.
        if (firstMs > startMs + 2_000) latencies.push(agenda.nowMs - firstMs)
      }
    }
  }
  tree.onRecords = batch => {
    if (agenda.nowMs > startMs + 2_000 && agenda.nowMs <= endMs) records += batch.length
  }
  // Messages come as one stream: one viewer's after the other's, each at an edge by chance.
  const perMs = viewers / everyMs
  let owed = 0
  let before = { ...tree.inbound }
  for (let ms = startMs; ms < endMs; ms++) {
    owed += perMs
    const burst = Math.floor(owed)
    owed -= burst
    if (ms === startMs + 2_000) {
      agenda.at(ms, () => {
        before = { ...tree.inbound }
      })
    }
    if (burst === 0) continue
    agenda.at(ms, () => {
      for (let left = burst; left > 0; left--) {
        const at = prng.below(tree.edges.length)
        const folded = tree.edges[at].say('cheer', cheers, kinds[prng.below(kinds.length)], voice)
        if (folded.kind !== 'folded') throw new Error(folded.kind)
        said++
        const open = waiting[at].get(folded.window)
        if (open === undefined) waiting[at].set(folded.window, { times: 1, firstMs: ms })
        else open.times++
      }
    })
  }
  agenda.runUntil(endMs)
  const measured = seconds - 2
  const frames = (tree.inbound.frames - before.frames) / measured
  const bytes = (tree.inbound.bytes - before.bytes) / measured
  agenda.runUntil(endMs + 60_000)
  if (counted !== said) throw new Error(`${said} were said, and ${counted} counted`)
  const name = `crowd: ${viewers} viewers, ${tree.edges.length} edges`
  report({ bench: name, unit: 'aggregates/s in', values: [frames] })
  report({ bench: name, unit: 'bytes/s in', values: [bytes] })
  report({ bench: name, unit: 'records/s', values: [records / measured], ceiling: 10 })
  report({ bench: name, unit: 'ms to counted, p50', values: [quantile(latencies, 0.5)] })
  report({ bench: name, unit: 'ms to counted, p99', values: [quantile(latencies, 0.99)] })
}

fold()
merge()
for (const viewers of [100, 1_000, 10_000, 100_000, 1_000_000]) inbound(viewers, 100)
for (const edges of [1, 10, 1_000]) inbound(100_000, edges)
