/*
 * An edge whose worker is of no use: viewers that are there stay live, what is kept stays bounded, and
 * no turn does more for it than a slice.
 */
import type { JsonObject } from '@fanfold/document'
import { milliseconds } from '@fanfold/kernel'
import t from 'tap'
import type { EdgeEffect } from '../src/edge-effect.ts'
import { define, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { byClaims } from './rules.ts'

const [one, two] = [viewer(1), viewer(2)]
const rows = (): JsonObject =>
  Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`row${at}`, 'x'.repeat(1_000)]))

/** A document of 600 kB with a viewer that is live. */
function watched(): { readonly show: Show; readonly model: Model } {
  const show = new Show(
    define({ observe: byClaims }),
    { n: 0, rows: rows() },
    {
      limits: { largeStateBytes: 100_000 },
      ring: { bytesMax: 50_000_000, recordsMax: 5_000, ageMax: milliseconds(60_000) },
    },
  )
  show.rig.open(one)
  show.rig.observe(one)
  const model = new Model()
  model.take(show.rig.got(one))
  show.rig.isSwift = false
  return { show, model }
}

type Opened = Extract<EdgeEffect, { kind: 'worker-open' }>
type Fed = Extract<EdgeEffect, { kind: 'worker-feed' }>

/** Every worker that was opened has failed; returns what it got. */
function fail(show: Show): { readonly opened: readonly Opened[]; readonly fed: readonly Fed[] } {
  const effects = show.rig.effects()
  show.rig.answers.length = 0
  const opened = effects.filter(effect => effect.kind === 'worker-open')
  for (const { replica } of opened) {
    show.rig.worker.perform({ kind: 'worker-close', replica })
    show.rig.take({ kind: 'worker-failed', replica, message: 'no room' })
  }
  return { opened, fed: effects.filter(effect => effect.kind === 'worker-feed') }
}

t.test('without a worker the loop makes the snapshots, in slices, and nobody notices', async t => {
  const { show, model } = watched()
  const { stringify, parse } = JSON
  let [written, read, most] = [0, 0, 0]
  JSON.stringify = ((...args: Parameters<typeof stringify>) => {
    const text = stringify(...args)
    written += text?.length ?? 0
    return text
  }) as typeof stringify
  JSON.parse = (text: string, ...more) => {
    read += text.length
    return parse(text, ...more)
  }
  try {
    // Some 9 MB: many times what is kept.
    for (let n = 1; n <= 1_500; n++) {
      show.change(put(`/rows/row${n % 600}`, `${n} ${'y'.repeat(6_000)}`))
      fail(show)
      written = 0
      read = 0
      show.rig.turn()
      most = Math.max(most, written, read)
    }
  } finally {
    Object.assign(JSON, { stringify, parse })
  }
  t.ok(most > 200_000, `${most} bytes, made on the loop`)
  t.ok(most < 400_000, `${most} bytes in a turn`)
  const frames = show.rig.got(one)
  t.notOk(frames.some(({ type }) => type !== 'delta'))
  model.take(frames)
  t.equal(model.problem, undefined)
  t.equal(Object.keys(model.view?.['rows'] ?? {}).length, 600)
  show.rig.open(two)
  show.rig.observe(two)
  const { opened, fed } = fail(show)
  const bytesOf = (list: readonly { readonly bytes: number | { length: number } }[]): number =>
    list.reduce((sum, { bytes }) => sum + (typeof bytes === 'number' ? bytes : bytes.length), 0)
  const snapshot = opened[0]?.snapshot
  const snapshotBytes = bytesOf(snapshot?.manifest.pieces ?? [])
  const recordBytes = bytesOf(fed.flatMap(({ records }) => records))
  t.ok((snapshot?.manifest.at.seq ?? 0) > 100, 'a newer snapshot')
  t.ok(recordBytes <= 5 * snapshotBytes, `${recordBytes} of records, ${snapshotBytes} of it`)
})

t.test('who needs a view meanwhile is told when to come again, and gets it later', async t => {
  const { show } = watched()
  for (let n = 1; n <= 1_000; n++) {
    show.change(put(`/rows/row${n % 600}`, `${n} ${'y'.repeat(6_000)}`))
    fail(show)
    show.rig.pass(0)
  }
  show.rig.open(two)
  show.rig.observe(two)
  fail(show)
  fail(show)
  t.match(show.rig.got(two), [{ type: 'refused', code: 'FANFOLD_OVERLOADED', retryAfter: Number }])
  show.rig.isSwift = true
  show.rig.observe(two)
  // What is larger than a slice takes turns to be put into frames.
  show.rig.pass(1)
  show.rig.finish()
  const model = new Model()
  model.take(show.rig.got(two))
  t.equal(model.problem, undefined)
  t.equal(Object.keys(model.view?.['rows'] ?? {}).length, 600)
  show.change(put('/n', 'last'))
  t.equal(model.take(show.rig.got(two)).view?.['n'], 'last')
})
