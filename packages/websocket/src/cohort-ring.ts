/*
 * The fan-out: one ring of frames per cohort, one cursor into it per member.
 *
 * A frame is put into the ring once. A sweep goes over the members in slices, so that ten thousand
 * sockets do not hold up the event loop, and gives each all that waits between its cursor and the
 * head as one piece of bytes: members that stand at the same place, nearly all of them, share it.
 * Entering, leaving and being overtaken cost O(1). The ring holds no frame that every member has:
 * it is emptied by whole passes, and a frame that would make it too large is swept out at once.
 */
import { assert } from '@fanfold/kernel'

/** One that receives a cohort's frames. */
export interface CohortMember {
  /** Takes bytes that are `frames` whole frames; false when it cannot, and is out of the cohort. */
  take(bytes: Buffer, frames: number): boolean
}

/** A member's place in one cohort; only the ring changes it. */
export class Seat<Member extends CohortMember> {
  readonly ring: CohortRing<Member>
  readonly member: Member
  /** Where in the ring's list of seats; -1 when it has left. */
  index: number
  /** Number of the next frame this member gets. */
  cursor: number

  constructor(options: {
    readonly ring: CohortRing<Member>
    readonly member: Member
    readonly index: number
    readonly cursor: number
  }) {
    this.ring = options.ring
    this.member = options.member
    this.index = options.index
    this.cursor = options.cursor
  }
}

/** The members of one cohort and the frames on their way to them. */
export class CohortRing<Member extends CohortMember> {
  readonly #bytesMax: number
  readonly #onLagging: (seat: Seat<Member>) => void
  readonly #seats: Seat<Member>[] = []
  #frames: Buffer[] = []
  #bytes = 0
  /** Number of the first frame in the ring. */
  #base = 0
  /** Seats before this index have every frame before `#passHead`. */
  #swept = 0
  #passHead = 0
  #joined: { from: number; to: number; bytes: Buffer } | undefined

  constructor(options: {
    /** Bytes of frames that wait at most. */
    readonly bytesMax: number
    /** A member did not take its bytes and has lost its seat. */
    readonly onLagging: (seat: Seat<Member>) => void
  }) {
    this.#bytesMax = options.bytesMax
    this.#onLagging = options.onLagging
  }

  /** How many members there are. */
  get size(): number {
    return this.#seats.length
  }

  /** True while a member may lack a frame. */
  get isWaiting(): boolean {
    return this.#frames.length > 0
  }

  /** Seats a member, who gets the frames that are pushed from now on. */
  enter(member: Member): Seat<Member> {
    const index = this.#seats.length
    const seat = new Seat<Member>({ ring: this, member, index, cursor: this.#head })
    this.#seats.push(seat)
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
    if (this.#seats.length === 0) this.#endPass()
  }

  /** Puts a frame into the ring. */
  push(frame: Buffer): void {
    if (this.#seats.length === 0) return
    this.#frames.push(frame)
    this.#bytes += frame.length
    if (this.#bytes > this.#bytesMax) this.sweep(Number.POSITIVE_INFINITY)
  }

  /** Gives one member what waits for it, now. */
  deliver(seat: Seat<Member>): void {
    if (seat.index !== -1) this.#deliver(seat)
  }

  /** Visits at most `seatsMax` members and gives each what waits for it; returns how many it visited. */
  sweep(seatsMax: number): number {
    let visited = 0
    while (this.isWaiting && visited < seatsMax) {
      const seat = this.#seats[this.#swept]
      if (seat === undefined) {
        this.#endPass()
        continue
      }
      if (this.#swept === 0) this.#passHead = this.#head
      visited++
      // One that lags has left, and another sits in its place.
      if (this.#deliver(seat)) this.#swept++
    }
    if (this.#swept === this.#seats.length) this.#endPass()
    return visited
  }

  get #head(): number {
    return this.#base + this.#frames.length
  }

  #deliver(seat: Seat<Member>): boolean {
    if (seat.cursor === this.#head) return true
    if (seat.member.take(this.#join(seat.cursor), this.#head - seat.cursor)) {
      seat.cursor = this.#head
      return true
    }
    this.leave(seat)
    this.#onLagging(seat)
    return false
  }

  #join(from: number): Buffer {
    const to = this.#head
    if (this.#joined?.from === from && this.#joined.to === to) return this.#joined.bytes
    const frames = this.#frames.slice(from - this.#base)
    const [only] = frames
    const bytes = frames.length === 1 && only !== undefined ? only : Buffer.concat(frames)
    this.#joined = { from, to, bytes }
    return bytes
  }

  #endPass(): void {
    const isEmpty = this.#seats.length === 0
    const done = (isEmpty ? this.#head : this.#passHead) - this.#base
    for (const frame of this.#frames.splice(0, done)) this.#bytes -= frame.length
    this.#base += done
    this.#swept = 0
    if (this.#frames.length === 0) this.#joined = undefined
  }

  #move(from: number, to: number): void {
    const seat = this.#seats[from]
    assert(seat !== undefined, `seat ${from} of ${this.size} exists`)
    this.#seats[to] = seat
    seat.index = to
  }
}
