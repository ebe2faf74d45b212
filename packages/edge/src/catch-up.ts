/*
 * A viewer that comes back with a position: what takes it from there to where its cohort stands.
 *
 * It is one delta over all that it missed: the values now of what the records since have touched.
 * Where that cannot be told, or a snapshot is smaller, there is none.
 */
import { decodeChange, type JsonObject, type PatchOperation } from '@fanfold/document'
import { encodeUtf8, equalBytes } from '@fanfold/kernel'
import { catchUpPatch } from '@fanfold/privacy'
import type { RecordRing } from '@fanfold/replication'
import { type Cohort, emptyPatch, type Place } from './cohort.ts'
import type { Cohorts } from './cohorts.ts'
import type { OpenedPoint } from './resume-point.ts'
import type { Turn } from './turn.ts'

/** What a catch-up is made from. */
export type CatchUp = {
  readonly cohorts: Cohorts
  readonly cohort: Cohort
  readonly point: OpenedPoint
  readonly ring: RecordRing
  /** The last record that was delivered. */
  readonly at: Place
  readonly state: JsonObject
  readonly turn: Turn
}

/** The frames for a viewer that enters a cohort, with a position or without one. */
export function entryFrames(
  options: Omit<CatchUp, 'point'> & { readonly from: string | undefined },
): readonly Uint8Array[] {
  const { cohorts, cohort, from, state } = options
  const point = from === undefined ? undefined : cohorts.terms.points.open(from)
  const frames = point === undefined ? undefined : catchUpFrames({ ...options, point })
  return frames ?? cohorts.framesOf(cohort, state)
}

/** The frames from a position to where the cohort stands; undefined when only a snapshot will do. */
function catchUpFrames(options: CatchUp): readonly Uint8Array[] | undefined {
  const { cohorts, cohort, point, ring, at } = options
  const isServed = cohort.failure === undefined && !cohorts.terms.isDense
  if (!isServed || !equalBytes(point.tag, cohort.tag)) return undefined
  if (point.seq === cohort.sent.seq && startsWith(cohort.sent.hash, point.hashPrefix)) return []
  const hash = ring.hashAt(point.seq)
  if (point.seq > at.seq || hash === undefined || !startsWith(hash, point.hashPrefix)) {
    return undefined
  }
  // The viewer was told of more at another edge than the cohort was here: the cohort is told too, so
  // that what comes next adjoins for all.
  if (point.seq > cohort.seq) advanceSilently(options)
  const frame = cohorts.catchUpFrame(cohort, point.seq, () => makeFrame(options))
  return frame === undefined ? undefined : [frame]
}

/** Takes the cohort on to the last record by a delta that changes nothing: what it sees is as it was. */
export function advanceSilently({
  cohorts,
  cohort,
  at,
  turn,
}: Pick<CatchUp, 'cohorts' | 'cohort' | 'at' | 'turn'>): void {
  // What its viewers are not shown has no time for them either.
  const place = { ...at, timeMs: cohort.sent.timeMs }
  const frame = cohorts.advance(cohort, place, emptyPatch, turn.now)
  if (cohort.size > 0)
    turn.push({ kind: 'cohort-send', cohort: cohort.id, frame, mark: cohort.sent.seq })
}

function makeFrame({ cohorts, cohort, point, ring, at, state }: CatchUp): Uint8Array | undefined {
  const snapshot = cohorts.snapshotOf(cohort, state)
  // More to parse than the snapshot has bytes is no saving, and is not parsed.
  if (snapshot === undefined || ring.bytesAfter(point.seq) > 4 * snapshot.length) return undefined
  const patches = patchesBetween(ring, point.seq, at.seq, cohorts.terms.variant)
  if (patches === undefined) return undefined
  const step = catchUpPatch({ view: cohort.view, state, patches })
  if (step.kind !== 'delta') return undefined
  const frame = cohort.stepFrom(point.seq, encodeUtf8(step.patchJson), cohort.position())
  return frame.length < snapshot.length ? frame : undefined
}

/** The patches of the records after one seq up to another, all under one variant. */
function patchesBetween(
  ring: RecordRing,
  after: number,
  to: number,
  variant: string,
): (readonly PatchOperation[])[] | undefined {
  const patches: (readonly PatchOperation[])[] = []
  for (let seq = after + 1; seq <= to; seq++) {
    const record = ring.get(seq)
    const change = record === undefined ? undefined : decodeChange(record)
    if (change === undefined || change.kind === 'create' || change.kind === 'delete')
      return undefined
    if (change.kind === 'none') continue
    if (change.kind === 'definition' && change.definition.variant !== variant) return undefined
    patches.push(change.patch)
  }
  return patches
}

const startsWith = (hash: Uint8Array, prefix: Uint8Array): boolean =>
  equalBytes(hash.subarray(0, prefix.length), prefix)
