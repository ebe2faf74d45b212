/*
 * What goes wrong with calls to a simulated disk, drawn call by call.
 *
 * Each fault has a chance of its own. No room and too many open files last for a while, as they do;
 * an error of the device comes alone.
 */
import type { Prng } from '@fanfold/kernel'

/** What a call does, as far as faults are concerned. */
export type CallKind =
  | 'open'
  | 'make'
  | 'close'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'sync-directory'
  | 'look'
  | 'rename'
  | 'remove'

/** Chances of each call, 0 to 1, and how long what lasts goes on. */
export type DiskFaults = {
  /** A read or a write takes a part, at least a byte. */
  readonly shortReads: number
  readonly shortWrites: number
  /** A call takes fifty times as long. */
  readonly slow: number
  readonly readErrors: number
  readonly writeErrors: number
  readonly syncErrors: number
  /** Errors of calls that are about names. */
  readonly nameErrors: number
  /** The disk is full from this call on, for up to `lastsCallsMax` calls, with up to a few KB left. */
  readonly full: number
  /** No file can be opened from this call on, for as long. */
  readonly tooManyFiles: number
  readonly lastsCallsMax: number
}

/** A disk without faults. */
export const noDiskFaults: DiskFaults = {
  shortReads: 0,
  shortWrites: 0,
  slow: 0,
  readErrors: 0,
  writeErrors: 0,
  syncErrors: 0,
  nameErrors: 0,
  full: 0,
  tooManyFiles: 0,
  lastsCallsMax: 0,
}

/** Bytes that a disk has left when it is said to be full, at most. */
const roomBytesMax = 4_096

/** Draws what goes wrong. */
export class FaultDraw {
  #faults: DiskFaults
  readonly #prng: Prng
  #fullFor = 0
  #fullCode = 'ENOSPC'
  #room = 0
  #tooManyFor = 0

  constructor(prng: Prng, faults: DiskFaults) {
    this.#prng = prng
    this.#faults = faults
  }

  /** Everything works from here on. */
  heal(): void {
    this.#faults = noDiskFaults
    this.#fullFor = 0
    this.#tooManyFor = 0
  }

  /** Everything works until `resume` is given what this gives. */
  pause(): DiskFaults {
    const faults = this.#faults
    this.heal()
    return faults
  }

  resume(faults: DiskFaults): void {
    this.#faults = faults
  }

  get isSlow(): boolean {
    return this.#chance(this.#faults.slow)
  }

  /** The code of the error that a call ends with, if it does. */
  errorOf(kind: CallKind): string | undefined {
    this.#passTime()
    const { readErrors, writeErrors, syncErrors, nameErrors } = this.#faults
    switch (kind) {
      case 'read':
        return this.#device(readErrors)
      case 'write':
        return this.#device(writeErrors)
      case 'truncate':
        // Where nothing is written in place, to cut takes room too.
        return this.#noRoom(0.3) ?? this.#device(writeErrors)
      case 'sync':
        return this.#noRoom(0.05) ?? this.#device(syncErrors)
      case 'sync-directory':
        return this.#device(syncErrors)
      case 'make':
        return this.#noFiles() ?? this.#noRoom(0.6) ?? this.#device(nameErrors)
      case 'open':
        return this.#noFiles() ?? this.#device(nameErrors)
      case 'rename':
        return this.#noRoom(0.2) ?? this.#device(nameErrors)
      case 'look':
      case 'remove':
      case 'close':
        return this.#device(nameErrors)
    }
  }

  /** How many bytes of `count` are read. */
  readable(count: number): number {
    return count > 1 && this.#chance(this.#faults.shortReads)
      ? 1 + this.#prng.below(count - 1)
      : count
  }

  /**
   * How many bytes of `count` the system takes; an error's code when none. Room is needed for those
   * that make the file longer, `grown` of them.
   */
  writable(count: number, grown: number): number | string {
    const taken =
      count > 1 && this.#chance(this.#faults.shortWrites) ? 1 + this.#prng.below(count - 1) : count
    if (this.#fullFor === 0) return taken
    const fitting = Math.min(taken, count - grown + this.#room)
    this.#room -= Math.max(0, fitting - (count - grown))
    return fitting === 0 && count > 0 ? this.#fullCode : fitting
  }

  #passTime(): void {
    const { full, tooManyFiles, lastsCallsMax } = this.#faults
    this.#fullFor = Math.max(0, this.#fullFor - 1)
    this.#tooManyFor = Math.max(0, this.#tooManyFor - 1)
    if (this.#chance(full)) {
      this.#fullFor = 1 + this.#prng.below(lastsCallsMax)
      this.#fullCode = this.#prng.chance(0.7) ? 'ENOSPC' : 'EDQUOT'
      this.#room = this.#prng.chance(0.5) ? 0 : this.#prng.below(roomBytesMax)
    }
    if (this.#chance(tooManyFiles)) this.#tooManyFor = 1 + this.#prng.below(lastsCallsMax)
  }

  #noRoom(chance: number): string | undefined {
    return this.#fullFor > 0 && this.#prng.chance(chance) ? this.#fullCode : undefined
  }

  #noFiles(): string | undefined {
    return this.#tooManyFor > 0 ? 'EMFILE' : undefined
  }

  #device(chance: number): string | undefined {
    return this.#chance(chance) ? 'EIO' : undefined
  }

  #chance(chance: number): boolean {
    return chance > 0 && this.#prng.chance(chance)
  }
}
