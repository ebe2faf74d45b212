/*
 * One record on its way to the cohorts of a document.
 *
 * Where every cohort sees the state as it is, the record's own bytes go out, and nothing is parsed.
 * Otherwise the change is looked at once before it is applied and once after, and each cohort gets
 * what of it is its to see, or nothing. A view that is computed is computed once for all records that
 * have come together: what it was in between would be over before anybody has seen it.
 */
import type { JsonObject, Replica } from '@fanfold/document'
import { concatBytes, copyBytes, encodeUtf8 } from '@fanfold/kernel'
import { StagedChange, type ViewFailure, type ViewStep } from '@fanfold/privacy'
import { type DocumentKey, type LogRecord, partTags, saltBytes, tagOf } from '@fanfold/protocol'
import { type Cohort, emptyPatch, type Place } from './cohort.ts'
import type { Cohorts } from './cohorts.ts'
import type { EdgeFact } from './edge-effect.ts'
import type { Way } from './seat.ts'
import type { Turn } from './turn.ts'

/** What telling the cohorts of a record needs. */
export type Delivery = {
  readonly cohorts: Cohorts
  readonly replica: Replica
  readonly turn: Turn
  /** False below a ceiling: a record with nothing in it may be one of which all was left out. */
  readonly isWhole: boolean
  /** Records went by of which the cohorts, whose views are computed, are told with this one. */
  readonly isForMany: boolean
  /** The wall's time, ms since 1970. */
  wallClockMs(): number
  /** The cohort's viewers are told how it stands with their view: it failed, or works again. */
  readonly tellStatus: (cohort: Cohort) => void
  /** The cohort's viewers go on by a snapshot. */
  readonly restarted: (cohort: Cohort, way: Way) => void
}

/** Sends cohorts what a record is to them; it must be the one after those that were delivered. */
export function deliverRecord(delivery: Delivery, record: LogRecord): void {
  const { cohorts, replica } = delivery
  if (record.kind !== 'delta' || cohorts.areAllPlain) {
    passOn(delivery, record)
    return
  }
  if (delivery.isForMany) {
    deliverMany(delivery, record)
    return
  }
  replica.settle(record.seq - 1 - replica.appliedSeq)
  const before = replica.appliedState
  const change = replica.peek()?.change
  if (before === undefined || change?.kind !== 'delta') {
    // Not what a record is: applying it shows that the replica is broken.
    replica.settle(1)
    return
  }
  const staged = new StagedChange(cohorts.terms.rules, before, change.patch)
  const failed = new Set<Cohort>()
  for (const cohort of cohorts.prompt) {
    if (cohort.failure === undefined) cohort.stage(staged)
    else failed.add(cohort)
  }
  replica.settle(1)
  const after = replica.appliedState
  if (after === undefined) return
  const place = placeOf(record)
  for (const cohort of cohorts.prompt) {
    if (!failed.has(cohort)) {
      tell(delivery, { cohort, seen: cohort.settle(staged, after), state: after, record, place })
    } else if (isRecovered(delivery, cohort, place, after)) {
      delivery.tellStatus(cohort)
    }
  }
}

/** What a record and those before it, of which nobody was told, have made of the computed views. */
function deliverMany(delivery: Delivery, record: LogRecord): void {
  const { cohorts, replica } = delivery
  replica.settle(record.seq - replica.appliedSeq)
  const state = replica.appliedState
  if (state === undefined) return
  // This record may be one that a cohort is not shown: nor is its time.
  const place = { ...placeOf(record), timeMs: delivery.wallClockMs() }
  for (const cohort of cohorts.prompt) {
    if (cohort.failure === undefined) {
      tell(delivery, { cohort, seen: cohort.settleAll(state), state, record, place })
    } else if (isRecovered(delivery, cohort, place, state)) {
      delivery.tellStatus(cohort)
    }
  }
}

/** Where a record stands; the bytes of the frame that it came in need not be kept for it. */
export const placeOf = (record: LogRecord): Place => ({
  epoch: record.epoch,
  seq: record.seq,
  hash: copyBytes(record.chainHash),
  timeMs: record.timeMs,
})

/** The record's own bytes go to those who see everything; to others a change of no state is nothing. */
function passOn(delivery: Delivery, record: LogRecord): void {
  const { cohorts, turn } = delivery
  if (cohorts.prompt.size === 0) return
  const place = placeOf(record)
  const patch = record.kind === 'delta' ? joinParts(record) : emptyPatch
  if (isUntold(delivery, record, patch)) return
  for (const cohort of cohorts.prompt) {
    if (!cohort.isPlain) continue
    turn.sendAll(cohort, cohorts.advance(cohort, place, patch, turn.now))
  }
}

/** True for a record with nothing in it of which not even those who see everything are told. */
function isUntold({ cohorts, isWhole }: Delivery, { kind }: LogRecord, patch: Uint8Array): boolean {
  if (patch.length > emptyPatch.length) return false
  return cohorts.terms.isDense || (kind === 'delta' && !isWhole)
}

/** Tells a cohort what a change is to it. */
function tell(
  delivery: Delivery,
  step: {
    readonly cohort: Cohort
    readonly seen: ViewStep
    readonly state: JsonObject
    readonly record: LogRecord
    readonly place: Place
  },
): void {
  const { cohorts, turn, tellStatus } = delivery
  const { cohort, seen, state, record, place } = step
  switch (seen.kind) {
    case 'nothing':
      return
    case 'failed':
      turn.fact(ruleFailed(cohorts.terms.doc, seen.failure))
      // It may have failed for the state before, which this record has mended: no other may follow it.
      // Of a large view one knows only when it is made, which each record that fails would have done.
      if (cohorts.isLarge || !isRecovered(delivery, cohort, place, state)) tellStatus(cohort)
      return
    case 'all':
    case 'delta': {
      const patch = seen.kind === 'all' ? joinParts(record) : encodeUtf8(seen.patchJson)
      const isEmpty = patch.length <= emptyPatch.length
      if (isEmpty && (seen.kind === 'delta' || isUntold(delivery, record, patch))) return
      turn.sendAll(cohort, cohorts.advance(cohort, place, patch, turn.now))
    }
  }
}

/** Tries a view that failed again, as with each change; false when it fails again. */
function isRecovered(
  { cohorts, restarted }: Delivery,
  cohort: Cohort,
  place: Place,
  state: JsonObject,
): boolean {
  const way = cohorts.restart(cohort, place, state)
  if (way !== undefined) restarted(cohort, way)
  return way !== undefined
}

/** A fact for the log: it names the place in the definition, and holds what was thrown. */
export const ruleFailed = (doc: DocumentKey, failure: ViewFailure): EdgeFact => ({
  event: 'rule-failed',
  doc,
  code: failure.code,
  place: failure.place,
  error: failure.error,
})

const openBracket = 0x5b
const closeBracket = 0x5d
const comma = Uint8Array.of(0x2c)

/** The patches of a delta's labels as one JSON array, in order, without parsing one. */
function joinParts(record: LogRecord): Uint8Array {
  const patches = record
    .parts()
    .filter(part => tagOf(part) < partTags.crowd)
    .map(part => part.subarray(saltBytes + 1))
  const [only] = patches
  if (only === undefined) return emptyPatch
  if (patches.length === 1) return only
  const chunks: Uint8Array[] = []
  for (const patch of patches) {
    const inner = patch.subarray(patch.indexOf(openBracket) + 1, patch.lastIndexOf(closeBracket))
    if (isBlank(inner)) continue
    chunks.push(chunks.length === 0 ? Uint8Array.of(openBracket) : comma, inner)
  }
  if (chunks.length === 0) return emptyPatch
  return concatBytes([...chunks, Uint8Array.of(closeBracket)])
}

const isBlank = (bytes: Uint8Array): boolean => bytes.every(byte => byte <= 0x20)
