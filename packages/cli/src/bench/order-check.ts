/*
 * Whether an edge keeps to the protocol with one viewer: each delta goes on from where the viewer is, none
 * is left out, sent twice or out of turn, a snapshot never takes it back, and a connection that resumes
 * goes on from the position that was given. Nothing is applied: places alone say all of that.
 *
 * `base` is where the next delta of this connection goes on from. `held` is the furthest place that the
 * viewer was ever at. `anchor` is the place of the last position, which a resume starts from; positions come
 * only once a second, so a resume sends again what lies between it and `held`.
 *
 * After a violation the check goes on from what was sent, so that one fault is counted once.
 */
import type { FrameHead } from './frame-head.ts'

/** A place that a viewer is at. */
export type Place = {
  readonly epoch: number
  readonly seq: number
  /** What seq counts: 0 for the document's records, else the number of a dense count of this viewer. */
  readonly count: number
}

/** What a frame made of it. */
export type OrderStep = {
  /** What should never be, in words. */
  readonly violation: string | undefined
  /** The viewer is further than it ever was: from which seq; undefined where it is not, or nobody can tell. */
  readonly advancedFrom: number | undefined
}

type Head<Type extends FrameHead['type']> = Extract<FrameHead, { readonly type: Type }>

const same: OrderStep = { violation: undefined, advancedFrom: undefined }
const violated = (violation: string): OrderStep => ({ violation, advancedFrom: undefined })

/** The places of one viewer, over all its connections. */
export class OrderCheck {
  #base: Place | undefined
  #held: Place | undefined
  #anchor: { readonly place: Place; readonly position: string } | undefined
  #assembly: { readonly place: Place; readonly pieces: number; next: number } | undefined
  /** The document was asked for again on this connection: what comes first belongs to the request before. */
  #isRestarted = false
  #denseCounts = 0

  /** The furthest place; undefined before the first view. */
  get held(): Place | undefined {
    return this.#held
  }

  /** Whether the view is there on this connection. */
  get hasView(): boolean {
    return this.#base !== undefined
  }

  /** A connection begins; returns the position to resume from, or none for a snapshot. */
  resume(): string | undefined {
    this.#base = this.#anchor?.place
    this.#assembly = undefined
    this.#isRestarted = false
    return this.#anchor?.position
  }

  /** The document is asked for from scratch, on the same connection. */
  restart(): void {
    this.#base = undefined
    this.#anchor = undefined
    this.#assembly = undefined
    this.#isRestarted = true
  }

  takeDelta({ epoch, from, seq, position }: Head<'delta'>): OrderStep {
    const base = this.#base
    if (base === undefined && this.#isRestarted) return same
    const count = base?.count ?? 0
    const place: Place = { epoch, seq, count }
    const violation = base === undefined ? `a delta from ${from} to ${seq} before any view` : ''
    const wrong = violation || misfitOf({ epoch, from, seq, position }, base)
    this.#base = place
    if (position !== undefined) this.#anchor = { place, position }
    return wrong === '' ? this.#hold(place) : { ...this.#hold(place), violation: wrong }
  }

  takeSnapshot({ epoch, seq, position, isDense }: Head<'snapshot'>): OrderStep {
    const place = this.#placeOf({ epoch, seq, isDense })
    const back = this.#whyBack(place)
    this.#assembly = undefined
    const step = this.#arrive(place, position)
    return back === undefined ? step : { ...step, violation: back }
  }

  /** A snapshot in pieces begins; it is the view when it ends. */
  beginSnapshot({ epoch, seq, isDense, pieces }: Head<'snapshot-begin'>): OrderStep {
    const place = this.#placeOf({ epoch, seq, isDense })
    const back = this.#whyBack(place)
    this.#assembly = { place, pieces, next: 0 }
    return back === undefined ? same : violated(back)
  }

  takePiece({ index }: Head<'snapshot-piece'>): OrderStep {
    const assembly = this.#assembly
    if (assembly === undefined) {
      return this.#isRestarted ? same : violated(`piece ${index} of no snapshot`)
    }
    const { next, pieces } = assembly
    assembly.next = index + 1
    if (index === next && index < pieces) return same
    return violated(`piece ${index} of ${pieces} in the turn of ${next}`)
  }

  endSnapshot({ position }: Head<'snapshot-end'>): OrderStep {
    const assembly = this.#assembly
    if (assembly === undefined) {
      return this.#isRestarted ? same : violated('the end of no snapshot')
    }
    const { place, next, pieces } = assembly
    this.#assembly = undefined
    const step = this.#arrive(place, position)
    if (next === pieces) return step
    return { ...step, violation: `a snapshot ends after ${next} of ${pieces} pieces` }
  }

  #placeOf(snapshot: {
    readonly epoch: number
    readonly seq: number
    readonly isDense: boolean
  }): Place {
    const { epoch, seq, isDense } = snapshot
    return { epoch, seq, count: isDense ? ++this.#denseCounts : 0 }
  }

  /** Why a snapshot takes the viewer back, or `undefined`: an epoch that rose may come with a lower seq. */
  #whyBack(place: Place): string | undefined {
    const base = this.#base
    if (base === undefined || !isBefore(place, base)) return undefined
    return `a snapshot at ${textOf(place)} for a viewer at ${textOf(base)}`
  }

  #arrive(place: Place, position: string): OrderStep {
    this.#base = place
    this.#anchor = { place, position }
    this.#isRestarted = false
    return this.#hold(place)
  }

  /** The viewer is at `place`; it keeps what it had where that is further. */
  #hold(place: Place): OrderStep {
    const held = this.#held
    if (held !== undefined && isBefore(place, held)) return same
    this.#held = place
    const isCounted = held !== undefined && place.count === 0 && held.count === 0
    if (!isCounted || place.seq <= held.seq) return same
    return { violation: undefined, advancedFrom: held.seq }
  }
}

/** What is wrong with a delta for a viewer at `base`; empty when nothing is. */
function misfitOf(
  delta: Pick<Head<'delta'>, 'epoch' | 'from' | 'seq' | 'position'>,
  base: Place | undefined,
): string {
  if (base === undefined) return ''
  const { epoch, from, seq, position } = delta
  const what = `a delta from ${from} to ${seq} for a viewer at ${textOf(base)}`
  if (epoch < base.epoch) return `disorder: ${what} is of epoch ${epoch}`
  if (from > base.seq) return `gap: ${what}`
  if (from < base.seq) return seq <= base.seq ? `repetition: ${what}` : `overlap: ${what}`
  // Another view of the same place has a position; under a dense count a move may lead to any number.
  const isMove = position !== undefined && seq === from
  return seq > from || isMove || base.count > 0 ? '' : `disorder: ${what}`
}

const isBefore = (a: Place, b: Place): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.count === b.count && a.seq < b.seq)

const textOf = ({ epoch, seq }: Place): string => `${epoch}:${seq}`
