/* A large document of which each viewer sees a hand of its own, and so has a view of its own. */
import type { JsonObject } from '@fanfold/document'
import { milliseconds } from '@fanfold/kernel'
import type { ViewerFrame, ViewerId } from '@fanfold/protocol'
import { define } from './edge-log.ts'
import { Model, Show } from './history.ts'
import { byClaims, rule } from './rules.ts'

/** The hands that there are. */
export const hands = ['a', 'b', 'c', 'd'] as const
/** Everybody sees the rows, and a hand of its own: each hand is a cohort. `/isLate` turns `/late` on. */
const definition = define({
  rules: [
    rule('/hands/*', (audience, { key }) => audience['hand'] === key),
    rule('/late', (_, { reads }) => reads['/isLate'] === true, ['/isLate']),
  ],
  observe: byClaims,
})
/** So many rows of some 100 bytes. */
export const rows = (count: number): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`row${at}`, 'x'.repeat(100)]))

/**
 * A large document of some 10 kB, or of more in several pieces, as is each view of it; nothing happens
 * at the worker by itself.
 */
export function large(largeViewsBytesMax: number, rowCount = 90): Show {
  const state = { n: 0, hands: { a: 1, b: 2, c: 3, d: 4 }, rows: rows(rowCount) }
  const show = new Show(definition, state, {
    limits: { largeStateBytes: 5_000, largeViewsBytesMax, lingerMs: 1e9 },
    ring: { bytesMax: 10_000_000, ageMax: milliseconds(60_000) },
  })
  show.rig.isSwift = false
  return show
}

/** A viewer comes, who sees this hand. */
export function join(show: Show, id: ViewerId, hand: string): Model {
  show.rig.open(id, { claims: { hand } })
  show.rig.observe(id)
  return new Model()
}

/** The refusals among frames. */
export const refusals = (frames: readonly ViewerFrame[]) =>
  frames.flatMap(frame => (frame.type === 'refused' ? [frame] : []))
