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
import type { DirectSockets } from './direct-sockets.ts'

/** One that receives a cohort's frames. */
export interface CohortMember {
  /** The slot of its socket; -1 for none. Stays as it is while the member has a seat. */
  readonly slot: number
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
  /** The mark with which it left. */
  lastMark = 0

  constructor(ring: CohortRing<Member>, member: Member, index: number) {
    this.ring = ring
    this.member = member
    this.index = index
  }

  /** Where the member stands: the mark of the last frame that it took, or the one it entered with. */
  get mark(): number {
    return this.index === -1 ? this.lastMark : this.ring.markAt(this.index)
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

/** Slots of the run that is written, of all rings: one is at a time. */
const runSlots = new Int32Array(512)
const noSockets = { free: new Int32Array(0), isDirect: new Uint8Array(0) }

/** The members of one cohort and the frames on their way to them. */
export class CohortRing<Member extends CohortMember> {
  readonly #bytesMax: number
  readonly #onLagging: (seat: Seat<Member>) => void
  readonly #onMissed: (member: Member, signals: readonly RingSignal[]) => void
  readonly #onOvertaken: (member: Member, signals: readonly RingSignal[]) => void
  readonly #seats: Seat<Member>[] = []
  /*
   * Of each seat, side by side for sweeps: the number of the next frame that its member gets, the mark of where it
   * stands, the slot of its socket, and whether it takes frames deflated.
   */
  readonly #cursors: number[] = []
  readonly #marks: number[] = []
  readonly #slots: number[] = []
  readonly #takesDeflated: boolean[] = []
  readonly #sockets: DirectSockets | undefined
  readonly #onWritten: (members: number, bytes: number, frames: number) => void
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
    /** What members' slots are of; without, each is asked to take its bytes. */
    readonly sockets?: DirectSockets | undefined
    /** So many members were written bytes that are so many frames, without being asked. */
    readonly onWritten?: ((members: number, bytes: number, frames: number) => void) | undefined
    /** A member did not take its bytes and has lost its seat. */
    readonly onLagging: (seat: Seat<Member>) => void
    /** A member did not take these signals, whether it keeps its seat or not; never none. */
    readonly onMissed: (member: Member, signals: readonly RingSignal[]) => void
    /** A member has taken these signals while others wait for it; never none. */
    readonly onOvertaken: (member: Member, signals: readonly RingSignal[]) => void
  }) {
    this.#bytesMax = options.bytesMax
    this.#sockets = options.sockets
    this.#onWritten = options.onWritten ?? (() => undefined)
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

  /** The mark of who sits there; only for seats. */
  markAt(index: number): number {
    return this.#marks[index] ?? 0
  }

  /** True while a member may lack a frame. */
  get isWaiting(): boolean {
    return this.#frames.length > 0
  }

  /** Seats a member, who stands at `mark` and gets the frames that are pushed from now on. */
  enter(member: Member, mark: number): Seat<Member> {
    const index = this.#seats.length
    const seat = new Seat<Member>(this, member, index)
    this.#seats.push(seat)
    this.#cursors.push(this.#head)
    this.#marks.push(mark)
    this.#slots.push(member.slot)
    this.#takesDeflated.push(member.takesDeflated)
    if (member.takesDeflated) this.#deflatedTakers++
    return seat
  }

  /** Takes a seat away; the member gets nothing more, not even what waits. */
  leave(seat: Seat<Member>): void {
    if (seat.index === -1) return
    assert(this.#seats[seat.index] === seat, `seat ${seat.index} of ${this.size} is this one`)
    seat.lastMark = seat.mark
    let hole = seat.index
    if (hole < this.#swept) {
      // The last of the swept fills the hole, so that the last seat lands among those to be swept.
      this.#swept--
      this.#move(this.#swept, hole)
      hole = this.#swept
    }
    this.#move(this.#seats.length - 1, hole)
    this.#seats.pop()
    this.#cursors.pop()
    this.#marks.pop()
    this.#slots.pop()
    this.#takesDeflated.pop()
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
    while (visited < seatsMax) {
      if (this.#swept === 0) this.#passHead = this.#head
      const written = this.#writeRun(seatsMax - visited)
      visited += written
      if (written > 0) continue
      const seat = this.#seats[this.#swept]
      if (seat === undefined) break
      visited++
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

  /**
   * Writes to those who are next in the pass as long as they lack the same and have it free, and none has to be asked.
   * Returns how many that were.
   */
  #writeRun(seatsMax: number): number {
    const sockets = this.#sockets
    const first = this.#swept
    const from = this.#cursors[first]
    const head = this.#head
    if (sockets === undefined || from === undefined || from === head) return 0
    // Of signals it matters who has others waiting.
    if (from <= this.#lastSignal) return 0
    const takesDeflated = this.#takesDeflated[first] === true
    const bytes = this.#join(from, takesDeflated)
    const count = this.#runLength({ first, from, bytes: bytes.length, seatsMax, takesDeflated })
    if (count === 0) return 0
    const failed = sockets
      .writeAll(runSlots, count, bytes)
      .map(at => [first + at, this.#marks[first + at] ?? 0] as const)
    this.#cursors.fill(head, first, first + count)
    this.#marks.fill(this.#mark, first, first + count)
    this.#onWritten(count - failed.length, bytes.length, head - from)
    // Who has not taken it is asked, when the pass comes by again: nothing is free there now.
    if (failed.length === 0) this.#swept += count
    for (const [index, mark] of failed) {
      this.#cursors[index] = from
      this.#marks[index] = mark
    }
    return count
  }

  /** How many in a row lack the frames from `from` on and have so many bytes free; their slots are in `runSlots`. */
  #runLength(run: {
    readonly first: number
    readonly from: number
    readonly bytes: number
    readonly seatsMax: number
    readonly takesDeflated: boolean
  }): number {
    const { first, from, bytes, takesDeflated } = run
    const { free, isDirect } = this.#sockets ?? noSockets
    const countMax = Math.min(run.seatsMax, runSlots.length, this.#slots.length - first)
    const mattersHow = from <= this.#lastDeflated
    let count = 0
    for (; count < countMax; count++) {
      const slot = this.#slots[first + count] ?? -1
      if (slot === -1 || this.#cursors[first + count] !== from) break
      if (isDirect[slot] !== 1 || (free[slot] ?? 0) < bytes) break
      if (mattersHow && this.#takesDeflated[first + count] !== takesDeflated) break
      runSlots[count] = slot
    }
    return count
  }

  #deliver(seat: Seat<Member>): boolean {
    const head = this.#head
    const { member, index } = seat
    const cursor = this.#cursors[index] ?? head
    if (cursor === head) return true
    const bytes = this.#join(cursor, member.takesDeflated)
    const isSignalsOnly = cursor > this.#last
    if (isSignalsOnly && !member.wouldTake(bytes.length)) {
      this.#cursors[index] = head
      this.#onMissed(member, this.#signalsFrom(cursor))
      return true
    }
    if (member.take(bytes, head - cursor)) {
      this.#cursors[index] = head
      if (!isSignalsOnly) this.#marks[index] = this.#mark
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

  /** What waits from a frame on, as one piece. */
  #join(from: number, takesDeflated: boolean): Buffer {
    if (takesDeflated && from <= this.#lastDeflated) return this.#joinDeflated(from)
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
    this.#cursors[to] = this.#cursors[from] ?? 0
    this.#marks[to] = this.#marks[from] ?? 0
    this.#slots[to] = this.#slots[from] ?? -1
    this.#takesDeflated[to] = this.#takesDeflated[from] === true
  }
}

function bytesOf({ bytes, deflated }: Frame): number {
  return bytes.length + (deflated?.length ?? 0)
}

function joinFrames(frames: readonly Buffer[]): Buffer {
  const [only] = frames
  return frames.length === 1 && only !== undefined ? only : Buffer.concat(frames)
}
