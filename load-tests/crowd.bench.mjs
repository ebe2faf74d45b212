// What a crowd costs: messages folded at an edge, aggregates merged at a proxy, and what reaches the authority by the
// number of viewers and of edges, on virtual time, with the time until edges hear that it is counted.
import { performance } from 'node:perf_hooks'
import { Prng } from '@fanfold/kernel'
import { partTags } from '@fanfold/protocol'
import { Combiner, decodeEntry, Origin } from '@fanfold/reduction'
import { countBy, defineDocument, reducer } from 'fanfold'
import { CrowdTree } from './crowd-tree.mjs'
import { EdgeStage, stageKey } from './edge-stage.mjs'
import { readDefinition } from './market.mjs'
import { quantile, report } from './report.mjs'

const rounds = Number(process.env.ROUNDS ?? 5)
const seconds = Number(process.env.SECONDS_PER_ROUND ?? 10)
/** Each viewer says something so often. */
const everyMs = 10_000

/** As a schema that takes everything: what is measured is what comes after. */
const any = { '~standard': { version: 1, vendor: 'bench', validate: value => ({ value }) } }
const kinds = Array.from({ length: 143 }, (_, index) => `kind-${index}`)
const cheers = await readDefinition('cheers')
const byKind = countBy({ top: 256 })

const definition = defineDocument({
  type: 'crowd',
  state: () => ({ kinds: {} }),
  messages: {},
  reducers: {
    cheer: reducer({
      message: any,
      into: byKind,
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
      origin.fold('cheer', byKind, kinds[(at * 31) % kinds.length], voice)
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

/** Messages that an edge's machine hears in a second, as frames of 1,000 viewers: parsed, checked, within limits, folded. */
function hear() {
  const stage = new EdgeStage({ definition: cheers, state: { kinds: {}, total: 0 } })
  const viewers = Array.from({ length: 1_000 }, (_, index) => index + 1)
  for (const viewer of viewers) stage.observe(viewer)
  const doc = stageKey(cheers)
  const frames = kinds.map(kind =>
    JSON.stringify({ type: 'add', doc, reducer: 'cheer', value: { kind } }),
  )
  const messages = 200_000
  const run = () => {
    for (let at = 0; at < messages; at++) {
      // Its answer would say that it is not heard.
      const bytes = stage.hear(viewers[at % viewers.length], frames[(at * 31) % frames.length])
      if (bytes > 0) throw new Error('a viewer is answered')
    }
  }
  run()
  const values = Array.from({ length: rounds }, () => messages / timed(run))
  const bench = 'crowd: heard by an edge behind its sockets, 143 kinds'
  report({ bench, unit: 'messages/s', values, aim: 300_000 })
}

/** What one child costs a proxy each time: its aggregate merged with those of the others. */
function merge() {
  const window = session => {
    const origin = new Origin()
    origin.begin(session)
    for (let at = 0; at < 10_000; at++)
      origin.fold('cheer', byKind, kinds[(at * 31) % kinds.length], voice)
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
  const shown = []
  /** Of records on their way to edges: when the first messages were said that they count, and where they are to come yet. */
  const onTheirWay = new Map()
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
    edge.got = seq => {
      const record = onTheirWay.get(seq)
      if (record === undefined || --record.left > 0) return
      onTheirWay.delete(seq)
      for (const firstMs of record.firsts)
        if (firstMs > startMs + 2_000) shown.push(agenda.nowMs - firstMs)
    }
  }
  tree.onRecords = batch => {
    for (const record of batch) {
      const firsts = firstsOf(record, tree.edges, waiting)
      if (firsts.length > 0) onTheirWay.set(record.seq, { firsts, left: tree.edges.length })
    }
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
        const folded = tree.edges[at].say('cheer', byKind, kinds[prng.below(kinds.length)], voice)
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
  if (onTheirWay.size > 0) throw new Error(`${onTheirWay.size} records have not come to all edges`)
  report({ bench: name, unit: 'ms to all edges, p50', values: [quantile(shown, 0.5)] })
  report({ bench: name, unit: 'ms to all edges, p99', values: [quantile(shown, 0.99)] })
}

/** When the first message was said of each window that a record counts. Sessions go on here, so windows are numbered as edges count them. */
function firstsOf(record, edges, waiting) {
  const payload = record.payload(partTags.crowd)
  if (payload === undefined) return []
  return decodeEntry(payload).counted.flatMap(({ session, after, upTo }) => {
    const windows = waiting[edges.findIndex(edge => edge.session === session)]
    return Array.from({ length: upTo - after }, (_, at) => windows.get(after + at + 1).firstMs)
  })
}

fold()
hear()
merge()
for (const viewers of [100, 1_000, 10_000, 100_000, 1_000_000]) inbound(viewers, 100)
for (const edges of [1, 10, 1_000]) inbound(100_000, edges)
