/*
 * The fan-out: one ring of frames per cohort, one cursor into it per member.
 *
 * A frame is put into the ring once. A sweep goes over the members in slices, so that ten thousand
 * sockets do not hold up the event loop, and gives each all that waits between its cursor and the
 * head as one piece of bytes: members that stand at the same place, nearly all of them, share it.
 * Entering, leaving and being overtaken cost O(1). The ring holds no frame that every member has:
 * it is emptied by whole passes, and a frame that would make it too large is swept out at once.
 *
 * Frames have marks, the sender's own numbers, and a seat keeps that of the last frame its member took.
 * Signals go through the ring as frames do, without a mark, and a member that cannot take one keeps
 * its seat: the signals that it missed are handed to whoever cares for it.
 */
import { assert } from '@fanfold/kernel'

/** One that receives a cohort's frames. */
export interface CohortMember {
  /** Takes bytes that are `frames` whole frames; false when it cannot, and is out of the cohort. */
  take(bytes: Buffer, frames: number): boolean
  /** Whether it is sent frames deflated where they are; stays as it is. */
  readonly takesDeflated: boolean
  /** Whether it would take so many bytes; asked before signals, which put nobody out. */
  wouldTake(bytes: number): boolean
  /** Whether earlier signals wait for it. */
  readonly hasSignalsWaiting: boolean
}

/** A signal in a ring: its key, and the bytes of its frame. */
export type RingSignal = { readonly key: string; readonly bytes: Buffer }

/** A member's place in one cohort; only the ring changes it. */
export class Seat<Member extends CohortMember> {
  readonly ring: CohortRing<Member>
  readonly member: Member
  /** Where in the ring's list of seats; -1 when it has left. */
  index: number
  /** Number of the next frame this member gets. */
  cursor: number
  /** Where the member stands: the mark of the last frame that it took, or the one it entered with. */
  mark: number

  constructor(options: {
    readonly ring: CohortRing<Member>
    readonly member: Member
    readonly index: number
    readonly cursor: number
    readonly mark: number
  }) {
    this.ring = options.ring
    this.member = options.member
    this.index = options.index
    this.cursor = options.cursor
    this.mark = options.mark
  }
}

/** Bytes on their way; a signal has a key. */
type Frame = {
  readonly bytes: Buffer
  /** The same for who takes it deflated, where it is worth it. */
  readonly deflated: Buffer | undefined
  readonly key: string | undefined
}

/** Frames from one place in a ring to its head, as one piece. */
type Joined = { readonly from: number; readonly to: number; readonly bytes: Buffer }

/** The members of one cohort and the frames on their way to them. */
export class CohortRing<Member extends CohortMember> {
  readonly #bytesMax: number
  readonly #onLagging: (seat: Seat<Member>) => void
  readonly #onMissed: (member: Member, signals: readonly RingSignal[]) => void
  readonly #onOvertaken: (member: Member, signals: readonly RingSignal[]) => void
  readonly #seats: Seat<Member>[] = []
  #frames: Frame[] = []
  #bytes = 0
  /** Number of the last frame that is no signal, and its mark. */
  #last = -1
  #mark = 0
  /** Number of the last signal. */
  #lastSignal = -1
  /** Number of the first frame in the ring. */
  #base = 0
  /** Seats before this index have every frame before `#passHead`. */
  #swept = 0
  #passHead = 0
  #joined: Joined | undefined
  #joinedDeflated: Joined | undefined
  /** Members who take frames deflated, and the number of the last frame that is. */
  #deflatedTakers = 0
  #lastDeflated = -1

  constructor(options: {
    /** Bytes of frames that wait at most. */
    readonly bytesMax: number
    /** A member did not take its bytes and has lost its seat. */
    readonly onLagging: (seat: Seat<Member>) => void
    /** A member did not take these signals, whether it keeps its seat or not; never none. */
    readonly onMissed: (member: Member, signals: readonly RingSignal[]) => void
    /** A member has taken these signals while others wait for it; never none. */
    readonly onOvertaken: (member: Member, signals: readonly RingSignal[]) => void
  }) {
    this.#bytesMax = options.bytesMax
    this.#onLagging = options.onLagging
    this.#onMissed = options.onMissed
    this.#onOvertaken = options.onOvertaken
  }

  /** How many members there are. */
  get size(): number {
    return this.#seats.length
  }

  /** How many of them take frames deflated. */
  get deflatedTakers(): number {
    return this.#deflatedTakers
  }

  /** True while a member may lack a frame. */
  get isWaiting(): boolean {
    return this.#frames.length > 0
  }

  /** Seats a member, who stands at `mark` and gets the frames that are pushed from now on. */
  enter(member: Member, mark: number): Seat<Member> {
    const index = this.#seats.length
    const seat = new Seat<Member>({ ring: this, member, index, cursor: this.#head, mark })
    this.#seats.push(seat)
    if (member.takesDeflated) this.#deflatedTakers++
    return seat
  }

  /** Takes a seat away; the member gets nothing more, not even what waits. */
  leave(seat: Seat<Member>): void {
    if (seat.index === -1) return
    assert(this.#seats[seat.index] === seat, `seat ${seat.index} of ${this.size} is this one`)
    let hole = seat.index
    if (hole < this.#swept) {
      // The last of the swept fills the hole, so that the last seat lands among those to be swept.
      this.#swept--
      this.#move(this.#swept, hole)
      hole = this.#swept
    }
    this.#move(this.#seats.length - 1, hole)
    this.#seats.pop()
    seat.index = -1
    if (seat.member.takesDeflated) this.#deflatedTakers--
    // Also where only swept seats are left: the next to leave has nobody behind the swept to follow it.
    if (this.#swept === this.#seats.length) this.#endPass()
  }

  /** Puts a frame into the ring, deflated as well where that is worth it; who takes it stands at `mark`. */
  push(bytes: Buffer, mark: number, deflated?: Buffer): void {
    if (this.#seats.length === 0) return
    this.#last = this.#head
    this.#mark = mark
    if (deflated !== undefined) this.#lastDeflated = this.#head
    this.#push({ bytes, deflated, key: undefined })
  }

  /** Puts a signal into the ring. */
  pushSignal(bytes: Buffer, key: string): void {
    if (this.#seats.length === 0) return
    this.#lastSignal = this.#head
    this.#push({ bytes, deflated: undefined, key })
  }

  /** Gives one member what waits for it, now. */
  deliver(seat: Seat<Member>): void {
    if (seat.index !== -1) this.#deliver(seat)
  }

  /** True while some members have what waits and others do not yet. */
  get isMidPass(): boolean {
    return this.#swept > 0
  }

  /**
   * Visits at most `seatsMax` members, and none twice, and gives each what waits for it: what is left of the
   * pass under way, or a new one. Returns how many it visited.
   */
  sweepPass(seatsMax: number): number {
    if (!this.isWaiting) return 0
    let visited = 0
    for (; visited < seatsMax; visited++) {
      const seat = this.#seats[this.#swept]
      if (seat === undefined) break
      if (this.#swept === 0) this.#passHead = this.#head
      // One that lags has left, and another sits in its place.
      if (this.#deliver(seat)) this.#swept++
    }
    if (this.#swept === this.#seats.length) this.#endPass()
    return visited
  }

  /** Gives all members what waits for them. */
  sweep(): void {
    while (this.isWaiting) this.sweepPass(Number.POSITIVE_INFINITY)
  }

  get #head(): number {
    return this.#base + this.#frames.length
  }

  #push(frame: Frame): void {
    this.#frames.push(frame)
    this.#bytes += bytesOf(frame)
    if (this.#bytes > this.#bytesMax) this.sweep()
  }

  #deliver(seat: Seat<Member>): boolean {
    const head = this.#head
    const { cursor, member } = seat
    if (cursor === head) return true
    const isDeflated = cursor <= this.#lastDeflated && member.takesDeflated
    const bytes = isDeflated ? this.#joinDeflated(cursor) : this.#join(cursor)
    const isSignalsOnly = cursor > this.#last
    if (isSignalsOnly && !member.wouldTake(bytes.length)) {
      seat.cursor = head
      this.#onMissed(member, this.#signalsFrom(cursor))
      return true
    }
    if (member.take(bytes, head - cursor)) {
      seat.cursor = head
      if (!isSignalsOnly) seat.mark = this.#mark
      if (cursor <= this.#lastSignal && member.hasSignalsWaiting) {
        this.#onOvertaken(member, this.#signalsFrom(cursor))
      }
      return true
    }
    // The ring lets go of its frames when the last one leaves.
    const signals = this.#signalsFrom(cursor)
    this.leave(seat)
    this.#onLagging(seat)
    if (signals.length > 0) this.#onMissed(member, signals)
    return false
  }

  #signalsFrom(cursor: number): readonly RingSignal[] {
    const signals: RingSignal[] = []
    for (const { bytes, key } of this.#frames.slice(cursor - this.#base)) {
      if (key !== undefined) signals.push({ key, bytes })
    }
    return signals
  }

  #join(from: number): Buffer {
    const to = this.#head
    if (this.#joined?.from === from && this.#joined.to === to) return this.#joined.bytes
    const bytes = joinFrames(this.#frames.slice(from - this.#base).map(frame => frame.bytes))
    this.#joined = { from, to, bytes }
    return bytes
  }

  #joinDeflated(from: number): Buffer {
    const to = this.#head
    const joined = this.#joinedDeflated
    if (joined?.from === from && joined.to === to) return joined.bytes
    const frames = this.#frames.slice(from - this.#base)
    const bytes = joinFrames(frames.map(frame => frame.deflated ?? frame.bytes))
    this.#joinedDeflated = { from, to, bytes }
    return bytes
  }

  #endPass(): void {
    const isEmpty = this.#seats.length === 0
    const done = (isEmpty ? this.#head : this.#passHead) - this.#base
    for (const frame of this.#frames.splice(0, done)) this.#bytes -= bytesOf(frame)
    this.#base += done
    this.#swept = 0
    if (this.#frames.length > 0) return
    this.#joined = undefined
    this.#joinedDeflated = undefined
  }

  #move(from: number, to: number): void {
    const seat = this.#seats[from]
    assert(seat !== undefined, `seat ${from} of ${this.size} exists`)
    this.#seats[to] = seat
    seat.index = to
  }
}

function bytesOf({ bytes, deflated }: Frame): number {
  return bytes.length + (deflated?.length ?? 0)
}

function joinFrames(frames: readonly Buffer[]): Buffer {
  const [only] = frames
  return frames.length === 1 && only !== undefined ? only : Buffer.concat(frames)
}
