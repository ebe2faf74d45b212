/*
 * The log of one document as it is durable, with what it has lost. A record has a place, by which it is known for
 * good: its seq, as long as the log has lost nothing, and beyond all seqs of before for what is written after that.
 */
import {
  applyPatch,
  decodeChange,
  type JsonObject,
  type RecordedDefinition,
} from '@fanfold/document'
import type { LogRecord } from '@fanfold/protocol'
import type { Claimant } from './log-disk.ts'

/** What a record led to. */
export type Entry = {
  /** Its seq, and another number where the log had another record of that seq before. */
  readonly place: number
  /** The record before it; undefined for the first one. */
  readonly before: Entry | undefined
  readonly seq: number
  readonly epoch: number
  readonly hash: Uint8Array
  /** Of its commit, as it says. */
  readonly timeMs: number
  /** The state as JSON; undefined while there is none. */
  readonly json: string | undefined
  /** Whether the document was deleted by then. */
  readonly isDeleted: boolean
  /** What the log says of the definition, this record included. */
  readonly definition: RecordedDefinition | undefined
}

/** Places that are given between two losses: more than a log has records. */
const placesPerLoss = 2 ** 20

/** The log of one document: what it has, and what it had. */
export class DocumentHistory {
  /** What each record led to; the one of seq 1 first. */
  readonly entries: Entry[] = []
  /** What the log has lost, by place, in the order in which it was written. */
  readonly lost: Map<number, Entry> = new Map()
  #losses = 0
  /** Whether the log has lost something and nothing was written since. */
  isBehind = false
  /** Places of the records that a writer's message made, by writer and id. */
  readonly origins: Map<string, { epoch: number; seq: number }[]> = new Map()
  /** Who has claimed each epoch. */
  readonly claims: Map<number, Claimant> = new Map()
  /** Who had claimed an epoch that the log has lost again. */
  readonly lostClaims: Map<number, Set<Claimant>> = new Map()
  epochMax = 0
  state: JsonObject | undefined
  definition: RecordedDefinition | undefined
  isDeleted = false

  /** The record of a place. */
  at(place: number): Entry | undefined {
    const entry = this.entries[(place % placesPerLoss) - 1]
    return entry?.place === place ? entry : this.lost.get(place)
  }

  /** The records of this epoch and seq, the last one first: one at most, unless an epoch was given twice. */
  named(epoch: number, seq: number): readonly Entry[] {
    return this.allAt(seq).filter(entry => entry.epoch === epoch)
  }

  /** All records of a seq that there ever were, the last one first. */
  allAt(seq: number): readonly Entry[] {
    const entry = this.entries[seq - 1]
    if (this.lost.size === 0) return entry === undefined ? [] : [entry]
    const lost = [...this.lost.values()].filter(one => one.seq === seq).reverse()
    return entry === undefined ? lost : [entry, ...lost]
  }

  /** Goes on to after the record; false when it does not apply. */
  take(record: LogRecord): boolean {
    const change = decodeChange(record)
    if (change === undefined) return false
    if (change.kind === 'none') return true
    // It is gone for good: nothing happens to it any more.
    if (this.isDeleted) return false
    switch (change.kind) {
      case 'delete':
        this.isDeleted = this.state !== undefined
        this.state = undefined
        return this.isDeleted
      case 'definition':
        this.definition = change.definition
        if (this.state === undefined) return change.patch.length === 0
        break
      case 'create':
        this.state = {}
    }
    const before = this.state
    const after = before && applyPatch(before, change.patch)
    if (after !== undefined) this.state = after
    return after !== undefined
  }

  /** What the record has led to is part of the history from here on. */
  push({ epoch, seq, chainHash: hash, timeMs }: LogRecord): void {
    const place = seq + this.#losses * placesPerLoss
    const { state, definition, isDeleted, entries } = this
    const [before, json] = [entries.at(-1), jsonOf(state)]
    entries.push({ place, before, seq, epoch, hash, timeMs, json, isDeleted, definition })
    this.isBehind = false
  }

  /** The log ends at `seq` from here on, under this epoch. */
  loseFrom(seq: number, epoch: number): void {
    const lost = this.entries.splice(seq)
    if (lost.length === 0) return
    for (const entry of lost) this.lost.set(entry.place, entry)
    for (const [origin, places] of this.origins) {
      this.origins.set(
        origin,
        places.filter(place => place.seq <= seq),
      )
    }
    const last = this.entries.at(-1)
    this.state = last?.json === undefined ? undefined : JSON.parse(last.json)
    this.definition = last?.definition
    this.isDeleted = last?.isDeleted === true
    this.epochMax = epoch
    this.#loseClaims()
    this.#losses++
    this.isBehind = true
  }

  #loseClaims(): void {
    for (const [epoch, by] of this.claims) {
      if (epoch <= this.epochMax) continue
      this.claims.delete(epoch)
      const others = this.lostClaims.get(epoch) ?? new Set()
      this.lostClaims.set(epoch, others.add(by))
    }
  }
}

/** A state as JSON; undefined where there is none. */
export const jsonOf = (state: JsonObject | undefined): string | undefined =>
  state === undefined ? undefined : JSON.stringify(state)
