/*
 * A viewer that stands somewhere in the log, because it comes back with a position or because its
 * socket has drained: what takes it from there to where its cohort stands.
 *
 * It is one delta over all that it missed: the values now of what the records since have touched.
 * Where that cannot be told, or a snapshot is smaller, it is the snapshot.
 */
import { decodeChange, type JsonObject, type PatchOperation } from '@fanfold/document'
import { encodeUtf8, equalBytes } from '@fanfold/kernel'
import { catchUpPatch } from '@fanfold/privacy'
import type { RecordRing } from '@fanfold/replication'
import { type Cohort, emptyPatch, type Place } from './cohort.ts'
import type { Cohorts } from './cohorts.ts'
import type { OpenedPoint } from './resume-point.ts'
import type { Way } from './seat.ts'
import type { Turn } from './turn.ts'

/** Bytes of records that are parsed in one turn. */
const parsedMax = 4_194_304

/** What a catch-up is made from. */
export type CatchUp = {
  readonly cohorts: Cohorts
  readonly cohort: Cohort
  readonly ring: RecordRing
  /** The last record that was delivered. */
  readonly at: Place
  readonly state: JsonObject
  readonly turn: Turn
}

/** The frames for a viewer that enters a cohort, with a position or without one. */
export function entryFrames(
  options: CatchUp & { readonly point: OpenedPoint | undefined },
): readonly Uint8Array[] | 'pieces' {
  const { cohorts, cohort, point, state } = options
  const resumed = point === undefined ? undefined : resumeFrames(options, point)
  // Nor is the snapshot of another view numbered further back than what the viewer has seen.
  const isOld = point !== undefined && point.seq > cohort.sent.seq && isServed(options)
  if (resumed === undefined && isOld) advanceSilently(options)
  return resumed ?? cohorts.framesOf(cohort, state, point?.seq ?? 0)
}

/** The frames for a viewer that lagged; `mark` is where it stands in the cohort, undefined for nowhere. */
export function drainedFrames(
  options: CatchUp & { readonly mark: number | undefined },
): readonly Uint8Array[] | 'pieces' {
  const { cohorts, cohort, mark, state } = options
  if (mark === cohort.mark) return []
  const seq = mark === undefined ? undefined : cohort.seqOf(mark)
  const frame = seq === undefined || !isServed(options) ? undefined : frameFrom(options, seq)
  // Not what was made before: it may be older than what the viewer took before it lagged.
  const due = frame ?? cohorts.snapshotOf(cohort, state)
  return due === undefined ? [] : due === 'pieces' ? due : [due]
}

/** True for a position from which the ring leads to where the cohort stands, or from further on. */
export function isResumable(options: Omit<CatchUp, 'state' | 'turn'>, point: OpenedPoint): boolean {
  const { cohort, ring, at } = options
  if (!isServed(options) || !equalBytes(point.tag, cohort.tag)) return false
  if (point.seq === cohort.sent.seq) return startsWith(cohort.sent.hash, point.hashPrefix)
  const hash = ring.hashAt(point.seq)
  return point.seq <= at.seq && hash !== undefined && startsWith(hash, point.hashPrefix)
}

/** The frames from a position to where the cohort stands; undefined when only a snapshot will do. */
function resumeFrames(options: CatchUp, point: OpenedPoint): readonly Uint8Array[] | undefined {
  const { cohort } = options
  if (!isResumable(options, point)) return undefined
  if (point.seq === cohort.sent.seq) return []
  // The viewer was told of more at another edge than the cohort was here: the cohort is told too, so
  // that what comes next adjoins for all.
  if (point.seq > cohort.seq) advanceSilently(options)
  const frame = frameFrom(options, point.seq)
  return frame === undefined ? undefined : [frame]
}

/** False where numbers say nothing of the log, and where there is no view to lead to. */
const isServed = ({ cohorts, cohort }: Pick<CatchUp, 'cohorts' | 'cohort'>): boolean =>
  cohort.failure === undefined && !cohorts.terms.isDense

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
  if (cohort.size === 0) return
  turn.sendAll(cohort, frame)
}

/** One delta from a seq to where the cohort stands; undefined when a snapshot is better. */
export const frameFrom = (options: CatchUp, seq: number): Uint8Array | undefined =>
  options.cohorts.catchUpFrame(options.cohort, seq, () => makeFrame(options, seq))

function makeFrame(options: CatchUp, seq: number): Uint8Array | undefined {
  const { cohorts, cohort, ring, at, state } = options
  const snapshotBytes = cohort.snapshotBytes ?? bytesOf(cohorts.snapshotOf(cohort, state))
  if (snapshotBytes === undefined || !isParsed(ring, seq, snapshotBytes)) return undefined
  const patches = patchesBetween(ring, seq, at.seq, cohorts.terms.variant)
  if (patches === undefined) return undefined
  const step = catchUpPatch({ view: cohort.view, state, patches })
  if (step.kind !== 'delta') return undefined
  const frame = cohort.stepFrom(seq, encodeUtf8(step.patchJson), cohort.position())
  // The snapshot may have been another size when it was made: it is made anew only in case of doubt.
  if (frame.length < snapshotBytes / 2) return frame
  const snapshot = bytesOf(cohorts.snapshotOf(cohort, state))
  return snapshot === undefined || frame.length < snapshot ? frame : undefined
}

/** Bytes of a snapshot, or of one that is large; undefined when the view fails. */
const bytesOf = (snapshot: Way): number | undefined =>
  snapshot === 'pieces' ? parsedMax : snapshot?.length

/**
 * False for records that the ring does not hold, or that are not parsed: more to parse than a snapshot
 * has bytes is no saving.
 */
export function isParsed(
  ring: RecordRing,
  after: number,
  snapshotBytes: number | undefined,
): boolean {
  if (after < ring.base.seq) return false
  return ring.bytesAfter(after) <= Math.min(4 * (snapshotBytes ?? parsedMax), parsedMax)
}

/** The patches of the records after one seq up to another, all under one variant. */
export function patchesBetween(
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
