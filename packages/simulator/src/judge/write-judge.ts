/*
 * Holds what writers were told against what the log says in the end.
 *
 * A write is *acknowledged* when one of its attempts was answered with a place: then it is in the log
 * once, there, as it was sent. It is *refused* when every attempt was answered with a refusal: then it is
 * not in the log. Else it is *unknown*, as an attempt was not answered: it is in the log once or not at
 * all, and as it was sent. Nothing else is in the log.
 *
 * Events of one write come in order; those of different writes, and the log, in any. It holds an entry
 * for each write.
 */
import { Findings } from './findings.ts'

/** What happened to a write, as its writer saw it. Ids are of one document, and of no other write. */
export type WriteEvent =
  /** It is sent, perhaps again; `value` is the same each time. */
  | { readonly kind: 'invoke'; readonly doc: string; readonly id: string; readonly value: string }
  /** It is committed, at this place. */
  | {
      readonly kind: 'ok'
      readonly doc: string
      readonly id: string
      readonly epoch: number
      readonly seq: number
    }
  /** This attempt is refused. */
  | { readonly kind: 'fail'; readonly doc: string; readonly id: string; readonly code: string }
  /** Nobody will answer this attempt. */
  | { readonly kind: 'info'; readonly doc: string; readonly id: string }

/** A write as a record of the final log has it. */
export type LoggedWrite = {
  readonly doc: string
  readonly id: string
  readonly epoch: number
  readonly seq: number
  /** What the record made of the message; undefined when that is not compared. */
  readonly value: string | undefined
}

/** What was wrong, by kind; with all at 0 all was right. */
export type WriteFaults = {
  /** Acknowledged, and not in the log. */
  readonly lost: number
  /** In the log more than once. */
  readonly doubled: number
  /** In the log with another value. */
  readonly altered: number
  /** Acknowledged at another place than where it is, or at two. */
  readonly misplaced: number
  /** Refused, and in the log. */
  readonly refusedAndLogged: number
  /** In the log, and sent by nobody. */
  readonly foreign: number
}

/** The judgement of a history. */
export type WriteVerdict = {
  readonly faults: WriteFaults
  readonly isRight: boolean
  readonly writes: number
  readonly acknowledged: number
  readonly refused: number
  /** Those of which nobody knows: how many the log has, and how many it has not. */
  readonly unknownIn: number
  readonly unknownOut: number
  /** The first faults of each kind in words. */
  readonly problems: readonly string[]
}

type Place = { readonly epoch: number; readonly seq: number }
type Write = {
  readonly value: string
  acknowledged: Place | undefined
  /** Attempts that were not answered yet, or never will be. */
  open: number
  logged: Place | undefined
}

const keyOf = (doc: string, id: string): string => `${doc} ${id}`
const words = ({ epoch, seq }: Place): string => `${epoch}:${seq}`
const isSame = (one: Place, other: Place): boolean =>
  one.epoch === other.epoch && one.seq === other.seq

/** Takes histories and a log, and says what they do not agree on. */
export class WriteJudge {
  readonly #writes = new Map<string, Write>()
  readonly #findings = new Findings<keyof WriteFaults>()
  /** Records of writes whose sending was not heard of yet. */
  readonly #early: LoggedWrite[] = []

  /** Takes the next event of a write. */
  take(event: WriteEvent): void {
    const key = keyOf(event.doc, event.id)
    const write = this.#writes.get(key)
    if (event.kind === 'invoke') {
      if (write !== undefined) write.open++
      else {
        const { value } = event
        this.#writes.set(key, { value, acknowledged: undefined, open: 1, logged: undefined })
      }
      return
    }
    if (write === undefined) {
      this.#findings.add('foreign', `${key} was answered, and never sent`)
    } else if (event.kind === 'ok') {
      write.open--
      const before = write.acknowledged
      if (before === undefined) write.acknowledged = { epoch: event.epoch, seq: event.seq }
      else if (!isSame(before, event)) {
        this.#findings.add('misplaced', `${key} is at ${words(before)}, then at ${words(event)}`)
      }
    } else if (event.kind === 'fail') {
      write.open--
    }
  }

  /** Takes a record of the final log. */
  takeLogged(logged: LoggedWrite): void {
    const key = keyOf(logged.doc, logged.id)
    const write = this.#writes.get(key)
    if (write === undefined) {
      this.#early.push(logged)
    } else if (write.logged !== undefined) {
      this.#findings.add('doubled', `${key} is at ${words(write.logged)} and ${words(logged)}`)
    } else {
      write.logged = { epoch: logged.epoch, seq: logged.seq }
      if (logged.value !== undefined && logged.value !== write.value) {
        this.#findings.add('altered', `${key} was ${write.value}, the log has ${logged.value}`)
      }
    }
  }

  /** At the end, once. */
  verdict(): WriteVerdict {
    for (const logged of this.#early.splice(0)) {
      if (this.#writes.has(keyOf(logged.doc, logged.id))) this.takeLogged(logged)
      else this.#findings.add('foreign', `${keyOf(logged.doc, logged.id)} at ${words(logged)}`)
    }
    const counts = { acknowledged: 0, refused: 0, unknownIn: 0, unknownOut: 0 }
    for (const [key, { acknowledged, open, logged }] of this.#writes) {
      if (acknowledged !== undefined) {
        counts.acknowledged++
        this.#checkPlace(key, acknowledged, logged)
      } else if (open > 0) {
        if (logged === undefined) counts.unknownOut++
        else counts.unknownIn++
      } else {
        counts.refused++
        if (logged === undefined) continue
        this.#findings.add('refusedAndLogged', `${key} is at ${words(logged)}`)
      }
    }
    const found = this.#findings
    const faults = {
      lost: found.count('lost'),
      doubled: found.count('doubled'),
      altered: found.count('altered'),
      misplaced: found.count('misplaced'),
      refusedAndLogged: found.count('refusedAndLogged'),
      foreign: found.count('foreign'),
    }
    const isRight = Object.values(faults).every(count => count === 0)
    const { size: writes } = this.#writes
    return { faults, isRight, writes, ...counts, problems: found.words }
  }

  #checkPlace(key: string, acknowledged: Place, logged: Place | undefined): void {
    if (logged === undefined) {
      this.#findings.add('lost', `${key} was acknowledged at ${words(acknowledged)}`)
    } else if (!isSame(acknowledged, logged)) {
      const said = `${key} was acknowledged at ${words(acknowledged)}`
      this.#findings.add('misplaced', `${said}, the log has it at ${words(logged)}`)
    }
  }
}
