/*
 * How far one document's stream is, and under which ceiling what is held came.
 *
 * What is held is worth resuming from until something shows that it is not. A log that is replayed from
 * its first record, and a snapshot that is older than what was shown, are kept apart until they are no
 * older: what was shown once is never followed by something before it.
 */
import { type Position, zeroPosition } from '@fanfold/protocol'
import { isAhead } from './is-ahead.ts'

/** Where a stream stands. */
export class HeldState {
  #position: Position = zeroPosition
  #isWorth = false
  /** What is held came under this ceiling; undefined before anything was. */
  #ceiling: number | undefined
  /** What comes is under this one. */
  #nextCeiling = 0
  #isApart = false
  /** What was shown and given up reached to here: nothing before it takes its place. */
  #floor: Position = zeroPosition
  /** Where the stream stood when it had to start anew last. */
  #troubleAt: Position = zeroPosition

  /** After the last record handed on. */
  get position(): Position {
    return this.#position
  }

  /** False while nothing held is worth resuming from. */
  get isWorth(): boolean {
    return this.#isWorth
  }

  /** True while what comes in is kept apart from what is held. */
  get isApart(): boolean {
    return this.#isApart
  }

  /** Highest tag of a part in what is held and shown. */
  get ceiling(): number | undefined {
    return this.#ceiling
  }

  /** What comes in is under this one. */
  get nextCeiling(): number {
    return this.#nextCeiling
  }

  /** True when what is worth resuming from came under another ceiling. */
  isOtherThan(ceiling: number): boolean {
    return this.#isWorth && ceiling !== (this.#isApart ? this.#nextCeiling : this.#ceiling)
  }

  /** True when a snapshot at this position would take back what is held. */
  isPast(at: Position): boolean {
    return this.#isWorth && !this.#isApart && isAhead(this.#position, at)
  }

  /** Something that was kept elsewhere is held from now on. */
  keep(position: Position, ceiling: number): void {
    this.#position = position
    this.#ceiling = ceiling
    this.#nextCeiling = ceiling
    this.#isWorth = true
  }

  /** Nothing above `ceiling` may stay. True when what is shown has to go. */
  lowerTo(ceiling: number): boolean {
    if (this.#ceiling === undefined || ceiling >= this.#ceiling) return false
    this.#ceiling = ceiling
    if (!this.#isApart) this.giveUp()
    return true
  }

  /** What is held is fetched again, and nothing before it takes its place. */
  giveUp(): void {
    if (this.#isWorth && !this.#isApart) this.#floor = this.#position
    this.distrust()
  }

  /** What is held is of no use. */
  distrust(): void {
    this.#isWorth = false
    this.#isApart = false
  }

  /** What comes from now on is under this ceiling. */
  comesUnder(ceiling: number): void {
    this.#nextCeiling = ceiling
  }

  /** The log comes in from its first record. */
  beginApart(ceiling: number): void {
    // What is shown goes on being shown: it is of no use to resume from, but nothing before it follows.
    const isShown = this.#ceiling !== undefined && !this.#isApart
    if (isShown && isAhead(this.#position, this.#floor)) this.#floor = this.#position
    this.#nextCeiling = ceiling
    this.#position = zeroPosition
    this.#isWorth = true
    this.#isApart = true
  }

  /** True once when what came in beside what is held is no older: it takes its place. */
  show(): boolean {
    if (!this.#isApart || isAhead(this.#floor, this.#position)) return false
    this.#becomes()
    return true
  }

  /** Records up to here were handed on. True when the stream is past its last trouble. */
  advance(position: Position): boolean {
    this.#position = position
    return isAhead(position, this.#troubleAt)
  }

  /**
   * A snapshot takes the place of everything held; apart from it as long as it is older than what was
   * shown. True when the stream is past its last trouble.
   */
  replace(position: Position): boolean {
    this.#isWorth = true
    this.#isApart = isAhead(this.#floor, position)
    if (!this.#isApart) this.#becomes()
    return this.advance(position)
  }

  /** The stream has to start anew, here. */
  noteTrouble(): void {
    this.#troubleAt = this.#position
  }

  #becomes(): void {
    this.#isApart = false
    this.#ceiling = this.#nextCeiling
    this.#floor = zeroPosition
  }
}
