/*
 * The sockets of many connections, by number, as a sweep over thousands of them wants them: what decides whether a
 * frame may be given to a socket's handle with nothing else to look at stands side by side. To look it up in the
 * objects of each connection, scattered over the memory, takes longer than all else that is done for it here.
 *
 * Bytes are free only while nothing waits in the handle or in the stream above it. So whoever gives the stream
 * something, or learns that somebody did, takes them back (`touch`); the connection looks again at its next write.
 *
 * With the native addon a sweep is one call, which writes to descriptors past the handles. A descriptor's number is given
 * to another connection as soon as its own is closed, so a slot has it no longer than the handle: it is taken
 * away in the call that closes it, whoever calls.
 */
import type { Socket } from 'node:net'
import type { SendAll } from '@fanfold/native'
import {
  type DescriptorKeeper,
  forgetDescriptor,
  type Handle,
  isStreamIdle,
  keepDescriptor,
  writeToQuiet,
} from './ws-internals.ts'

const slotsAtFirst = 64
const none: readonly number[] = []
/** In place of a descriptor, of a socket that the addon is not given: it is closed, or has none that can be kept. */
const noDescriptor = -1

/** What is known of sockets, by slot; a slot is a number of one socket until it is given back. */
export class DirectSockets implements DescriptorKeeper {
  /** Bytes that may be written with nothing to look at between. */
  free: Int32Array = new Int32Array(slotsAtFirst)
  /** Bytes that were written since the connection was told. */
  untold: Int32Array = new Int32Array(slotsAtFirst)
  /** 1 where a sweep may write by itself. */
  isDirect: Uint8Array = new Uint8Array(slotsAtFirst)
  readonly #sockets: (Socket | undefined)[] = []
  readonly #handles: (Handle | undefined)[] = []
  readonly #spare: number[] = []
  readonly #sendAll: SendAll | undefined
  #descriptors = new Int32Array(slotsAtFirst)
  /** Of the run that is written: descriptors, and what the addon says of those that have not taken all. */
  #runDescriptors = new Int32Array(0)
  #runResults = new Int32Array(0)

  constructor(
    options: {
      /** The addon's; undefined to write to each socket's handle. */
      readonly sendAll?: SendAll | undefined
    } = {},
  ) {
    this.#sendAll = options.sendAll
  }

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
    const isNative = this.#sendAll !== undefined && handle !== undefined
    this.#descriptors[slot] = isNative ? keepDescriptor(handle, this, slot) : noDescriptor
    return slot
  }

  /** Gives a slot back. */
  delete(slot: number): void {
    this.touch(slot)
    this.untold[slot] = 0
    this.isDirect[slot] = 0
    const handle = this.#handles[slot]
    if (this.#descriptors[slot] !== noDescriptor && handle !== undefined) forgetDescriptor(handle)
    this.#descriptors[slot] = noDescriptor
    this.#sockets[slot] = undefined
    this.#handles[slot] = undefined
    this.#spare.push(slot)
  }

  /** The addon is not given that socket any more. */
  descriptorClosing(slot: number): void {
    this.#descriptors[slot] = noDescriptor
    this.touch(slot)
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
    const sendAll = this.#sendAll
    return sendAll === undefined
      ? this.#writeEach(slots, count, bytes)
      : this.#writeTogether(sendAll, { slots, count, bytes })
  }

  #writeEach(slots: Int32Array, count: number, bytes: Buffer): readonly number[] {
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

  #writeTogether(
    sendAll: SendAll,
    run: { readonly slots: Int32Array; readonly count: number; readonly bytes: Buffer },
  ): readonly number[] {
    const { slots, count, bytes } = run
    this.#makeRoom(count)
    const descriptors = this.#runDescriptors
    for (let at = 0; at < count; at++) {
      const slot = slots[at] ?? 0
      const socket = this.#sockets[slot]
      const isOpen = socket !== undefined && isStreamIdle(socket)
      descriptors[at] = isOpen ? (this.#descriptors[slot] ?? noDescriptor) : noDescriptor
    }
    const pairs = sendAll(descriptors, count, bytes, this.#runResults)
    for (let at = 0; at < count; at++) this.spend(slots[at] ?? 0, bytes.length)
    return pairs === 0 ? none : this.#writeRests(run, pairs)
  }

  /** Gives streams what the addon could not write. Returns which have taken nothing at all. */
  #writeRests(
    run: { readonly slots: Int32Array; readonly bytes: Buffer },
    pairs: number,
  ): readonly number[] {
    const failed: number[] = []
    const { bytes } = run
    for (let pair = 0; pair < pairs; pair++) {
      const at = this.#runResults[2 * pair] ?? 0
      const taken = this.#runResults[2 * pair + 1] ?? 0
      const slot = run.slots[at] ?? 0
      if (taken >= 0) {
        this.#sockets[slot]?.write(bytes.subarray(taken))
      } else {
        failed.push(at)
        this.spend(slot, -bytes.length)
      }
      this.touch(slot)
    }
    return failed
  }

  #makeRoom(count: number): void {
    if (count <= this.#runDescriptors.length) return
    this.#runDescriptors = new Int32Array(count)
    this.#runResults = new Int32Array(2 * count)
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
    const descriptors = new Int32Array(length)
    descriptors.set(this.#descriptors)
    this.#descriptors = descriptors
  }
}
