/*
 * The sockets of many connections, by number, as a sweep over thousands of them wants them: what decides whether a
 * frame may be given to a socket's handle with nothing else to look at stands side by side. To look it up in the
 * objects of each connection, scattered over the memory, takes longer than all else that is done for it here.
 *
 * Bytes are free only while nothing waits in the handle or in the stream above it. So whoever gives the stream
 * something, or learns that somebody did, takes them back (`touch`); the connection looks again at its next write.
 */
import type { Socket } from 'node:net'
import { type Handle, writeToQuiet } from './ws-internals.ts'

const slotsAtFirst = 64
const none: readonly number[] = []

/** What is known of sockets, by slot; a slot is a number of one socket until it is given back. */
export class DirectSockets {
  /** Bytes that may be written with nothing to look at between. */
  free: Int32Array = new Int32Array(slotsAtFirst)
  /** Bytes that were written since the connection was told. */
  untold: Int32Array = new Int32Array(slotsAtFirst)
  /** 1 where a sweep may write by itself. */
  isDirect: Uint8Array = new Uint8Array(slotsAtFirst)
  readonly #sockets: (Socket | undefined)[] = []
  readonly #handles: (Handle | undefined)[] = []
  readonly #spare: number[] = []

  /** Slots that are in use. */
  get size(): number {
    return this.#sockets.length - this.#spare.length
  }

  /** A slot for a socket, of which nothing is free yet. */
  add(socket: Socket, handle: Handle | undefined): number {
    const slot = this.#spare.pop() ?? this.#sockets.length
    this.#sockets[slot] = socket
    this.#handles[slot] = handle
    if (slot >= this.free.length) this.#grow()
    return slot
  }

  /** Gives a slot back. */
  delete(slot: number): void {
    this.touch(slot)
    this.untold[slot] = 0
    this.isDirect[slot] = 0
    this.#sockets[slot] = undefined
    this.#handles[slot] = undefined
    this.#spare.push(slot)
  }

  /** Nothing is free any more, until the connection has looked. */
  touch(slot: number): void {
    this.free[slot] = 0
  }

  /** So many bytes are written to a socket that has as many free. */
  spend(slot: number, bytes: number): void {
    this.free[slot] = (this.free[slot] ?? 0) - bytes
    this.untold[slot] = (this.untold[slot] ?? 0) + bytes
  }

  /**
   * Writes the same to the first `count` of `slots`, each of which has as many bytes free.
   *
   * @returns which of them have not taken it, as indices into `slots`
   */
  writeAll(slots: Int32Array, count: number, bytes: Buffer): readonly number[] {
    let failed: number[] | undefined
    for (let at = 0; at < count; at++) {
      const slot = slots[at] ?? 0
      const socket = this.#sockets[slot]
      const handle = this.#handles[slot]
      const written =
        socket === undefined || handle === undefined
          ? 'refused'
          : writeToQuiet(socket, handle, bytes)
      if (written === 'refused') {
        failed ??= []
        failed.push(at)
      } else {
        this.spend(slot, bytes.length)
      }
      if (written !== 'sent') this.touch(slot)
    }
    return failed ?? none
  }

  #grow(): void {
    const { free, untold, isDirect } = this
    const length = 2 * free.length
    this.free = new Int32Array(length)
    this.untold = new Int32Array(length)
    this.isDirect = new Uint8Array(length)
    this.free.set(free)
    this.untold.set(untold)
    this.isDirect.set(isDirect)
  }
}
