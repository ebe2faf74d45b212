/*
 * How much of snapshots a node hands on: in one turn, so that a turn stays short; and to one link, in a
 * turn and ahead of what its child has taken, so that the records of its other documents are never
 * behind more than that, in whatever buffers lie between.
 *
 * A turn's work is counted in bytes that are gone through: a piece that has yet to be packed counts as
 * long as it is, one that is packed as it leaves. At about 100 MB/s for the slowest codec, a turn's worth
 * takes some milliseconds.
 */
import type { Instant } from '@fanfold/kernel'
import { LinkWindow } from './link-window.ts'
import { WaitingLine } from './waiting-line.ts'

/** Bounds of snapshots on their way to children. */
export type TransferLimits = {
  /** Bytes of pieces that one turn packs, encodes and sends, over all documents and children. */
  readonly workBytesPerTurnMax: number
  /** Bytes of pieces handed to one link in one turn. */
  readonly bytesOnLinkMax: number
  /** Bytes of snapshots on one link that its child has not taken yet, before its speed is known. */
  readonly bytesUnderWayFirst: number
  /** The most that these may be, on a link that carries as much in two seconds. */
  readonly bytesUnderWayMax: number
}

/** Limits for a turn of some milliseconds. */
export const defaultTransferLimits: TransferLimits = {
  workBytesPerTurnMax: 524_288,
  bytesOnLinkMax: 262_144,
  bytesUnderWayFirst: 131_072,
  bytesUnderWayMax: 524_288,
}

/** Numbers by which a child is asked are 1 to this. */
const numberMax = 0xff_ff_ff_ff

/** What one turn of a node may do for snapshots. */
export class TurnAllowance {
  readonly #bytesMax: number
  readonly #now: () => Instant
  #left: number
  #number = 0

  /** @param now the instant of the turn; when not said, it is always the same one */
  constructor(bytesMax: number, now: () => Instant = () => 0 as Instant) {
    this.#bytesMax = bytesMax
    this.#now = now
    this.#left = bytesMax
  }

  /** When it is. */
  get now(): Instant {
    return this.#now()
  }

  /** Grows with each turn. */
  get number(): number {
    return this.#number
  }

  /** True when what is left to do is left to the next turn. */
  get isSpent(): boolean {
    return this.#left <= 0
  }

  /** So much was done; the last step of a turn may take more than is left. */
  spend(bytes: number): void {
    this.#left -= bytes
  }

  /** Another turn begins. */
  refill(): void {
    this.#number++
    this.#left = this.#bytesMax
  }
}

/**
 * What one link may be handed of snapshots, and whose turn it is while it is full: a document that has
 * had some goes behind the others, and one that has yet to begin before those that are under way, for
 * its child hears nothing of it until then.
 *
 * Who waits is taken up again by the owner, one document in a turn: there may be very many.
 */
export class LinkAllowance {
  readonly turn: TurnAllowance
  readonly #limits: TransferLimits
  /** Channels of documents that wait with their first pieces, and of those that wait with further ones. */
  readonly #beginning = new WaitingLine<number>()
  readonly #goingOn = new WaitingLine<number>()
  readonly #window: LinkWindow
  #handed = 0
  #turnNumber = 0
  #underWay = 0
  #takenCount = 0
  /** The number that the child has yet to answer, or 0; what it was handed since it was asked. */
  #asked = 0
  #lastAsked = 0
  #sinceAsked = 0

  constructor(turn: TurnAllowance, limits: TransferLimits) {
    this.turn = turn
    this.#limits = limits
    this.#window = new LinkWindow(limits)
  }

  /** True when the link gets no more pieces in this turn. */
  get isSpent(): boolean {
    const isThisTurn = this.#turnNumber === this.turn.number
    return isThisTurn && this.#handed >= this.#limits.bytesOnLinkMax
  }

  /** True when the link gets no more pieces before its child has taken some. */
  get isFull(): boolean {
    return this.#underWay >= this.#window.bytes
  }

  /** The channel of the document that has waited and goes on now; undefined while the link is full. */
  get next(): number | undefined {
    return this.isFull ? undefined : this.#first
  }

  /** Documents that wait. */
  get waitingCount(): number {
    return this.#beginning.size + this.#goingOn.size
  }

  /** True when the link has room, and the document of this channel is next or nobody waits. */
  mayGo(channel: number): boolean {
    if (this.isFull) return false
    const first = this.#first
    return first === undefined || first === channel
  }

  /** The link was handed so many bytes. */
  spend(bytes: number): void {
    this.#underWay += bytes
    this.#sinceAsked += bytes
    if (this.isFull) this.#window.full(this.turn.now)
    if (this.#turnNumber !== this.turn.number) {
      this.#turnNumber = this.turn.number
      this.#handed = 0
    }
    this.#handed += bytes
  }

  /** The document of this channel has a snapshot to begin when it is next. */
  waitToBegin(channel: number): void {
    this.#beginning.add(channel)
  }

  /** The document of this channel has more for the link when it is next. */
  wait(channel: number): void {
    if (!this.#beginning.has(channel)) this.#goingOn.add(channel)
  }

  /** The document of this channel has had its turn, or has nothing for the link any more. */
  endWait(channel: number): void {
    this.#beginning.delete(channel)
    this.#goingOn.delete(channel)
  }

  /**
   * What the child is to be asked by, when the link is full: it answers behind all that is under way, so
   * that what it has not taken by then is lost. Undefined when it need not be asked, or has been.
   */
  ask(): number | undefined {
    if (!this.isFull || this.#asked !== 0) return undefined
    this.#lastAsked = (this.#lastAsked % numberMax) + 1
    this.#asked = this.#lastAsked
    this.#sinceAsked = 0
    return this.#asked
  }

  /**
   * The child has taken so many bytes; more than were under way count as all of them.
   *
   * @param answers the number that it was asked by, or 0
   */
  taken(bytes: number, answers = 0): void {
    this.lost(bytes)
    if (answers !== 0 && answers === this.#asked) {
      this.#asked = 0
      this.#underWay = Math.min(this.#underWay, this.#sinceAsked)
    }
    this.#takenCount++
    this.#window.taken(bytes, this.turn.now)
    if (this.isFull) this.#window.full(this.turn.now)
  }

  /** So many bytes under way are lost: the child can never have taken them. */
  lost(bytes: number): void {
    this.#underWay = Math.max(0, this.#underWay - bytes)
  }

  /** All that is under way is lost. */
  forgive(): void {
    this.lost(this.#underWay)
    this.#takenCount++
  }

  /** How often room was made: who finds it unchanged later knows that the child has taken nothing. */
  get takenCount(): number {
    return this.#takenCount
  }

  /**
   * The child asks again for what it waits for, and has asked for at this `takenCount`. If it has taken
   * nothing since, what it waits behind is lost; otherwise the link is slow, and is not to be given
   * more. Of many documents that are asked for again at a time, the first makes room.
   */
  askedAgain(takenCount: number): void {
    if (takenCount === this.#takenCount) this.forgive()
  }

  get #first(): number | undefined {
    return this.#beginning.first ?? this.#goingOn.first
  }
}
