/*
 * Reads the frames of clients, by way of ws. Between two frames a reader holds nothing of a client, so one that is there
 * reads for one client after the other: a viewer that says nothing has none.
 */
import type { RawData } from 'ws'
import {
  closeCodeOf,
  isAtRest,
  lonePong,
  newReceiver,
  type Receiver,
  type ReceiverBounds,
} from './ws-internals.ts'

/** Who hears what a reader has read. */
export interface FrameOwner {
  onMessage(data: RawData, isBinary: boolean): void
  onPing(payload: Buffer): void
  onPong(payload: Buffer): void
  /** The other side ends the connection; 1005 where it says no code. Nothing more is read. */
  onEnding(code: number, reason: Buffer): void
  /** What came is none of the frames that may come, which is to be told with this code. Nothing more is read. */
  onBadFrame(closeCode: number): void
  /** The reader takes more again. */
  onReady(): void
}

/** Reads for one client at a time. */
export class FrameReader {
  /** What it reads is as one client has agreed on it: it reads for no other. */
  readonly isForOne: boolean
  readonly #receiver: Receiver
  #owner: FrameOwner | undefined

  constructor(bounds: ReceiverBounds) {
    this.isForOne = bounds.extensions !== undefined
    this.#receiver = newReceiver(bounds)
    this.#receiver.on('message', (data: RawData, isBinary: boolean) => {
      this.#owner?.onMessage(data, isBinary)
    })
    this.#receiver.on('ping', (payload: Buffer) => this.#owner?.onPing(payload))
    this.#receiver.on('pong', (payload: Buffer) => this.#owner?.onPong(payload))
    this.#receiver.on('conclude', (code: number, reason: Buffer) => {
      this.#owner?.onEnding(code, reason)
    })
    this.#receiver.on('error', (error: Error) => this.#owner?.onBadFrame(closeCodeOf(error)))
    this.#receiver.on('drain', () => this.#owner?.onReady())
  }

  /** True while it takes nothing, until `onReady`. */
  get isFull(): boolean {
    return this.#receiver.writableNeedDrain
  }

  /** Reads what has come for this owner; true when it is amid a frame, or busy, and the owner must keep it. */
  read(chunk: Buffer, owner: FrameOwner): boolean {
    this.#owner = owner
    this.#receiver.write(chunk)
    if (!isAtRest(this.#receiver)) return true
    this.#owner = undefined
    return false
  }
}

/** The readers of a route's clients. */
export class FrameReaders {
  readonly #bounds: ReceiverBounds
  /** One that is between two frames. */
  #spare: FrameReader | undefined

  constructor(bounds: ReceiverBounds) {
    this.#bounds = bounds
  }

  /**
   * Reads what has come for an owner.
   *
   * @param before what this returned for the owner the last time
   * @returns the reader that the owner must keep; undefined between two frames, unless it is for this owner alone
   */
  read(chunk: Buffer, owner: FrameOwner, before: FrameReader | undefined): FrameReader | undefined {
    if (before === undefined) {
      // All that most viewers ever say, some once a second.
      const pong = lonePong(chunk)
      if (pong !== undefined) {
        owner.onPong(pong)
        return undefined
      }
    }
    const reader = before ?? this.#spare ?? new FrameReader(this.#bounds)
    // Whoever is read for meanwhile needs another.
    if (reader === this.#spare) this.#spare = undefined
    if (reader.read(chunk, owner) || reader.isForOne) return reader
    this.#spare = reader
    return undefined
  }

  /** A reader for one client alone: what it has agreed on is not what others have. */
  alone(extensions: object): FrameReader {
    return new FrameReader({ ...this.#bounds, extensions })
  }
}
