// What it costs an edge to show each viewer its own part of a document: the machine alone, one delta to
// a frame. The cases of one question take turns within each round, so that a slow moment of the machine
// hits all of them, and are compared round by round. All times are the processor's.
import { encodeUtf8 } from '@fanfold/kernel'
import { EdgeStage } from './edge-stage.mjs'
import { claimsOf, deltas, marketOf, readDefinition, withoutRules } from './market.mjs'
import { processorUs } from './processor-time.mjs'
import { report } from './report.mjs'

const rounds = Number(process.env.ROUNDS ?? 9)
/** Rounds that do not count: until the compiler has seen it all. */
const warmRounds = 3
const market = await readDefinition('market')
const book = await readDefinition('book')

const sizes = { '10 KB': 10_000, '100 KB': 100_000, '1 MB': 1_000_000, '10 MB': 10_000_000 }

/** A market at an edge with so many viewers, by their ids each in a cohort of its own. */
function stageMarket({ bytes = 100_000, viewers = 10, definition = market, lots = 0 }) {
  const state = marketOf(bytes, lots)
  const stage = new EdgeStage({ definition, state })
  for (let viewer = 0; viewer < viewers; viewer++) {
    stage.observe(viewer, { claims: claimsOf(viewer) })
  }
  let turn = 0
  const count = Object.keys(state.entries).length
  return {
    stage,
    /** Feeds so many deltas of a kind. */
    feed(deltaOf, deltaCount) {
      const frames = stage.encode(Array.from({ length: deltaCount }, () => deltaOf(turn++, count)))
      return stage.feed(frames)
    },
  }
}

/** Runs the cases in turns: what `run` returns for each, by its name and round. */
function interleave(cases, run, roundCount = rounds) {
  const results = new Map([...cases.keys()].map(name => [name, []]))
  for (let round = -warmRounds; round < roundCount; round++) {
    for (const [name, given] of cases) {
      const result = run(given, round)
      if (round >= 0) results.get(name).push(result)
    }
  }
  return results
}

const divided = (values, by) => values.map((value, round) => value / by[round])

/** The cost of a delta by the size of the document. */
function bySize() {
  for (const [kind, deltaOf] of Object.entries(deltas)) {
    const cases = new Map(
      Object.entries(sizes).map(([name, bytes]) => [name, stageMarket({ bytes })]),
    )
    const results = interleave(cases, ({ feed }) => feed(deltaOf, 1_000))
    for (const [name, values] of results) {
      report({ bench: `filter: ${name}, 10 cohorts, a delta that ${kind}`, unit: 'µs', values })
    }
    report({
      bench: `filter: 10 MB to 10 KB, a delta that ${kind}`,
      unit: 'ratio',
      values: divided(results.get('10 MB'), results.get('10 KB')),
      ceiling: 2,
    })
  }
}

/** The cost of a delta by the number of cohorts. */
function byCohorts() {
  const counts = [1, 10, 100, 1_000]
  for (const [kind, deltaOf] of Object.entries(deltas)) {
    const cases = new Map(counts.map(viewers => [viewers, stageMarket({ viewers })]))
    const deltaCount = viewers => Math.max(20, Math.min(2_000, 10_000 / viewers))
    const results = interleave(cases, ({ stage, feed }) => {
      return feed(deltaOf, deltaCount(stage.cohortCount))
    })
    for (const [viewers, values] of results) {
      const bench = `filter: ${viewers} cohort${viewers === 1 ? '' : 's'}, a delta that ${kind}`
      report({ bench, unit: 'µs', values })
    }
    const each = counts.map(count => divided(results.get(count), Array(rounds).fill(count)))
    report({
      bench: `filter: each of 1,000 cohorts to each of 10, a delta that ${kind}`,
      unit: 'ratio',
      values: divided(each[3], each[1]),
      ceiling: 1.5,
    })
  }
}

/** The cost of a delta by the number of viewers in one cohort. */
function byViewers() {
  const everybodyTheSame = {
    ...market,
    observe: { ...market.observe, audience: () => ({ id: 'p-0', isPaying: true, isStaff: false }) },
  }
  const counts = [1, 10, 100, 1_000]
  const cases = new Map(
    counts.map(viewers => [viewers, stageMarket({ viewers, definition: everybodyTheSame })]),
  )
  const results = interleave(cases, ({ feed }) => feed(deltas['everybody sees'], 4_000))
  for (const [viewers, values] of results) {
    const bench = `filter: ${viewers} viewer${viewers === 1 ? '' : 's'} in one cohort, a delta`
    report({ bench, unit: 'µs', values })
  }
  report({
    bench: 'filter: 1,000 viewers in one cohort to 1, a delta',
    unit: 'ratio',
    values: divided(results.get(1_000), results.get(1)),
    ceiling: 1.2,
  })
}

/** Deltas through an edge with rules, and without. */
function besidePlain() {
  const plain = isOne => withoutRules(market, isOne)
  const cases = new Map([
    ['no rules, one cohort', stageMarket({ definition: plain(true) })],
    ['no rules, 10 cohorts', stageMarket({ definition: plain(false) })],
    ['rules, one cohort', stageMarket({ viewers: 1 })],
    ['rules, 10 cohorts', stageMarket({})],
  ])
  const results = interleave(cases, ({ feed }) => 1e6 / feed(deltas['everybody sees'], 2_000))
  for (const [name, values] of results) {
    report({ bench: `filter: ${name}`, unit: 'deltas/s of a core', values })
  }
  report({
    bench: 'filter: no rules to rules, 10 cohorts',
    unit: 'ratio',
    values: divided(results.get('no rules, 10 cohorts'), results.get('rules, 10 cohorts')),
  })
}

/** A rule that reads: what a change of that costs by the places that the rule stands at. */
function byReaders() {
  const cases = new Map([10, 100, 1_000, 10_000].map(lots => [lots, stageMarket({ lots })]))
  const phases = {
    'turns no answer': turn => `open-${turn % 2}`,
    'turns every answer': turn => (turn % 2 === 0 ? 'secret' : 'open'),
  }
  for (const [what, phaseAt] of Object.entries(phases)) {
    const deltaOf = turn => [[0, [{ op: 'replace', path: '/phase', value: phaseAt(turn) }]]]
    const results = interleave(cases, ({ feed }) => feed(deltaOf, 2), 5)
    for (const [lots, values] of results) {
      const bench = `filter: ${lots} places of a rule, 10 cohorts, a change it reads that ${what}`
      report({ bench, unit: 'µs', values })
    }
  }
}

/** A thousand viewers turn the page. */
function moves() {
  const [viewers, pageCount] = [1_000, 2_000]
  const state = { title: 'T', pages: {} }
  for (let page = 0; page < pageCount; page++)
    state.pages[page] = `${page} `.repeat(500).slice(0, 500)
  const stages = [0, 1].map(() => {
    const stage = new EdgeStage({ definition: book, state })
    for (let viewer = 0; viewer < viewers; viewer++) {
      stage.observe(viewer, { viewState: { page: '0' } })
    }
    return stage
  })
  const cases = new Map([
    ['the same page', { stage: stages[0], pageOf: (_, round) => round + warmRounds + 1 }],
    [
      'a page each',
      { stage: stages[1], pageOf: (viewer, round) => viewer + viewers * (round & 1) },
    ],
  ])
  const results = interleave(cases, ({ stage, pageOf }, round) => {
    let bytes = 0
    const us = processorUs(() => {
      for (let viewer = 0; viewer < viewers; viewer++) {
        bytes += stage.turnTo(viewer, { page: String(pageOf(viewer, round)) })
      }
    })
    if (bytes < viewers * 500) throw new Error(`${viewers} viewers were sent ${bytes} bytes`)
    return us / viewers
  })
  for (const [name, values] of results) {
    report({ bench: `filter: 1,000 viewers turn to ${name}, one viewer`, unit: 'µs', values })
  }
}

/** The first snapshot of a cohort of a document of 1 MB, and the next one's, which is kept. */
function snapshots() {
  const state = marketOf(1_000_000)
  const withRules = new EdgeStage({ definition: market, state })
  const plain = new EdgeStage({ definition: withoutRules(market, true), state })
  const msOf = run => {
    let bytes = 0
    const us = processorUs(() => {
      bytes = run()
    })
    if (bytes < 300_000) throw new Error(`a snapshot of ${bytes} bytes`)
    return us / 1_000
  }
  const coming = stage => () => {
    const ms = msOf(() => stage.observe(1))
    stage.leave(1)
    return ms
  }
  const cases = new Map([
    ['as JSON in UTF-8, nothing else', () => msOf(() => encodeUtf8(JSON.stringify(state)).length)],
    ['first of a cohort without rules', coming(plain)],
    ['first of a cohort with rules', coming(withRules)],
    [
      'second of a cohort with rules',
      () => {
        withRules.observe(1, { subject: 'twin' })
        const ms = msOf(() => withRules.observe(2, { subject: 'twin' }))
        withRules.leave(1)
        withRules.leave(2)
        return ms
      },
    ],
  ])
  for (const [name, values] of interleave(cases, run => run())) {
    report({ bench: `filter: snapshot of 1 MB, ${name}`, unit: 'ms', values })
  }
}

bySize()
byCohorts()
byViewers()
besidePlain()
byReaders()
moves()
snapshots()
