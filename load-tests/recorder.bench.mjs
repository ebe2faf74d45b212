/*
 * What it costs to record a change and to apply it, by the width of the map it happens in: the
 * recorder's promise is that the width does not matter. Immer is measured beside it.
 *
 *   node load-tests/recorder.bench.mjs        about 15 seconds; JSON lines, then a table on stderr
 *
 * The cases take turns within each round, so that a slow moment of the machine hits all of them.
 */
import { applyPatch } from '@fanfold/document'
import { enablePatches, produceWithPatches } from 'immer'
import { record } from '../packages/authority/dist/src/recorder.js'

const rounds = Number(process.env.ROUNDS ?? 15)
const roundMs = Number(process.env.ROUND_MS ?? 20)
const widths = [10, 1_000, 100_000]

enablePatches()

const mapOf = width => {
  const players = {}
  for (let index = 0; index < width; index++) players[`p${index}`] = { hp: 100, score: index }
  return { players, total: 0 }
}

const listOf = length => ({ list: Array.from({ length }, (_, id) => ({ id, name: `row ${id}` })) })

const textOf = chunks => ({
  chunks: Array.from({ length: chunks }, (_, index) => `chunk ${index} `.padEnd(128, '.')),
})

/** Cases by name: each is a function that does one change. */
const cases = new Map()

for (const width of widths) {
  const recorded = mapOf(width)
  let turn = 0
  cases.set(`record scalar in map of ${width}`, () => {
    const id = `p${turn++ % width}`
    return record(recorded, draft => {
      draft.players[id].hp = turn
    })
  })
  const keyed = mapOf(width)
  cases.set(`record add and remove in map of ${width}`, () => {
    turn++
    return record(keyed, draft => {
      if (turn % 2 === 0) delete draft.players.fresh
      else draft.players.fresh = { hp: turn, score: 0 }
    })
  })
  const applied = mapOf(width)
  cases.set(`apply scalar to map of ${width}`, () =>
    applyPatch(applied, [{ op: 'replace', path: `/players/p${turn++ % width}/hp`, value: turn }]),
  )
  if (width > 1_000) continue
  let immutable = mapOf(width)
  cases.set(`immer scalar in map of ${width}`, () => {
    const id = `p${turn++ % width}`
    ;[immutable] = produceWithPatches(immutable, draft => {
      draft.players[id].hp = turn
    })
  })
}

{
  const state = { count: 0 }
  cases.set('record counter at the root', () =>
    record(state, draft => {
      draft.count++
    }),
  )
  const list = listOf(200)
  let turn = 0
  cases.set('record insert at 3 and remove of 200', () =>
    record(list, draft => {
      if (turn++ % 2 === 0) draft.list.splice(3, 0, { id: -1, name: 'new' })
      else draft.list.splice(3, 1)
    }),
  )
  const filtered = listOf(200)
  cases.set('record filter of 200 over itself', () =>
    record(filtered, draft => {
      draft.list = draft.list.filter(row => row.id !== -1)
    }),
  )
  const queue = listOf(100)
  cases.set('record push and shift of 100', () =>
    record(queue, draft => {
      draft.list.push({ id: turn++, name: 'next' })
      draft.list.shift()
    }),
  )
  const text = textOf(800)
  cases.set('record one chunk of 800 of a text', () =>
    record(text, draft => {
      draft.chunks.splice(17, 1, `edit ${turn++} `.padEnd(128, '.'))
    }),
  )
  const reversed = listOf(1_000)
  cases.set('record reverse of 1000', () => record(reversed, draft => draft.list.reverse()))
}

const samples = new Map([...cases.keys()].map(name => [name, []]))

/** Calls per second of `run` over about `roundMs`. */
function measure(run) {
  const begin = process.hrtime.bigint()
  const end = begin + BigInt(roundMs) * 1_000_000n
  let calls = 0
  let now = begin
  while (now < end) {
    for (let index = 0; index < 32; index++) run()
    calls += 32
    now = process.hrtime.bigint()
  }
  return (calls * 1e9) / Number(now - begin)
}

for (const run of cases.values()) measure(run)
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of cases) samples.get(name).push(measure(run))
}

const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]
for (const [bench, values] of samples) {
  const line = { bench, unit: 'calls/s', median: median(values), min: Math.min(...values) }
  console.log(JSON.stringify({ ...line, max: Math.max(...values) }))
}
for (const what of ['record scalar in', 'record add and remove in', 'apply scalar to']) {
  const medians = widths.map(width => median(samples.get(`${what} map of ${width}`)))
  const ratio = Math.max(...medians) / Math.min(...medians)
  console.log(
    JSON.stringify({
      bench: `${what} maps, fastest to slowest`,
      unit: 'ratio',
      median: ratio,
      min: ratio,
      max: ratio,
    }),
  )
}
for (const [name, values] of samples) {
  const perSecond = median(values)
  const us = (1e6 / perSecond).toFixed(2)
  console.error(
    `${name.padEnd(44)} ${Math.round(perSecond).toLocaleString('en').padStart(12)}/s ${us.padStart(10)} µs`,
  )
}
