/*
 * Trouble that lasts is met again and again: by each write to a disk that is full. A log that says so each
 * time is no help, and takes room. It says when it begins, that it lasts, and when it is over.
 *
 * It is over when something has gone well and for a while nothing has not; so trouble that comes and
 * goes says no more than two lines for each such while.
 */
import {
  after,
  between,
  type Duration,
  earliest,
  type Instant,
  type Machine,
  milliseconds,
} from '@fanfold/kernel'

/** Trouble that lasts is told of so often, ms. */
export const lastsEveryMs = 60_000
/** It is over when it was not met for so long, ms. */
export const quietMs = 10_000

/** What happens: the trouble is met, or what it stands in the way of has gone well. */
export type TroubleInput =
  | { readonly kind: 'met'; readonly fields: TroubleFields }
  | { readonly kind: 'went-well' }

/** What a line says of the time at which the trouble was met last, beside its event. */
export type TroubleFields = Readonly<Record<string, unknown>>

/** What is to be told. */
export type TroubleEffect =
  | { readonly kind: 'begins'; readonly fields: TroubleFields }
  /** It was met `count` times since it was told of last, the last time with these fields. */
  | { readonly kind: 'lasts'; readonly fields: TroubleFields; readonly count: number }
  /** From the first time to the last one it took so long, and was met `count` times. */
  | { readonly kind: 'ends'; readonly lasted: Duration; readonly count: number }

type Begun = {
  readonly since: Instant
  count: number
  lastAt: Instant
  fields: TroubleFields
  /** Times since it was told of. */
  untold: number
  toldAt: Instant
  hasGoneWell: boolean
}

/** One kind of trouble of a node. */
export class LastingTrouble implements Machine<TroubleInput, TroubleEffect> {
  #begun: Begun | undefined

  /** True from when it begins until it is over: only then is it of interest what goes well. */
  get isOn(): boolean {
    return this.#begun !== undefined
  }

  receive(input: TroubleInput, now: Instant, effects: TroubleEffect[]): void {
    // What is over by now is told of before it begins again.
    this.tick(now, effects)
    const begun = this.#begun
    if (input.kind === 'went-well') {
      if (begun !== undefined) begun.hasGoneWell = true
      this.tick(now, effects)
      return
    }
    const { fields } = input
    if (begun === undefined) {
      const times = { since: now, lastAt: now, toldAt: now }
      this.#begun = { ...times, count: 1, untold: 0, fields, hasGoneWell: false }
      effects.push({ kind: 'begins', fields })
      return
    }
    begun.count++
    begun.untold++
    begun.lastAt = now
    begun.fields = fields
    begun.hasGoneWell = false
  }

  wakeAt(): Instant | undefined {
    const begun = this.#begun
    if (begun === undefined) return undefined
    return earliest(
      begun.hasGoneWell ? after(begun.lastAt, milliseconds(quietMs)) : undefined,
      begun.untold > 0 ? after(begun.toldAt, milliseconds(lastsEveryMs)) : undefined,
    )
  }

  tick(now: Instant, effects: TroubleEffect[]): void {
    const begun = this.#begun
    const at = this.wakeAt()
    if (begun === undefined || at === undefined || now < at) return
    const { fields, since, lastAt, count, untold } = begun
    if (begun.hasGoneWell && now >= after(lastAt, milliseconds(quietMs))) {
      this.#begun = undefined
      effects.push({ kind: 'ends', lasted: between(since, lastAt), count })
      return
    }
    begun.untold = 0
    begun.toldAt = now
    effects.push({ kind: 'lasts', fields, count: untold })
  }
}
