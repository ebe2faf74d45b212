/*
 * That the native addon writes to nobody but whom it is meant for, though the system gives a descriptor's number to the
 * next connection, and that what it writes is in order with all else.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { Prng } from '@fanfold/kernel'
import type { SendAll } from '@fanfold/native'
import t, { type Test } from 'tap'
import { DirectSockets } from '../src/direct-sockets.ts'
import { isQuiet } from '../src/ws-internals.ts'
import { builtSendAll } from './built-addon.ts'
import { until } from './client-rig.ts'
import { descriptorOf, type SocketPair, socketPairs } from './socket-pair.ts'

const sendAll = builtSendAll()
const hello = Buffer.from('hello')

/** Sockets that are written to by the addon, and the descriptors that it was given. */
function observed(): { sockets: DirectSockets; written: Set<number> } {
  const written = new Set<number>()
  const observing: SendAll = (descriptors, count, bytes, results) => {
    for (const descriptor of descriptors.subarray(0, count)) written.add(descriptor)
    return sendAll(descriptors, count, bytes, results)
  }
  return { sockets: new DirectSockets({ sendAll: observing }), written }
}

/** Writes to one slot as if it had bytes free, and one more, whatever is known of it. */
function writeTo(sockets: DirectSockets, slot: number, bytes = hello): readonly number[] {
  sockets.free[slot] = bytes.length + 1
  return sockets.writeAll(Int32Array.of(slot), 1, bytes)
}

/** Opens files until one has that number. */
function openAs(t: Test, descriptor: number): boolean {
  for (let n = 0; n < 1_000; n++) {
    const file = openSync(process.execPath, 'r')
    t.teardown(() => closeSync(file))
    if (file === descriptor) return true
  }
  return false
}

/** All that came to a socket until now, and from now on. */
function received(socket: Socket): () => Buffer {
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  socket.resume()
  return () => Buffer.concat(chunks)
}

/** By what a connection ends at this side, all within one call. */
const endings: Record<string, (pair: SocketPair) => unknown> = {
  destroy: ({ near }) => near.destroy(),
  'destroy with an error': ({ near }) => near.destroy(new Error('for a reason')),
  reset: ({ near }) => near.resetAndDestroy(),
  'a close of the handle': ({ handle }) => Reflect.apply(Reflect.get(handle, 'close'), handle, []),
}

for (const [name, end] of Object.entries(endings)) {
  t.test(`after ${name} the slot has no descriptor in the same call`, async t => {
    const pair = await (await socketPairs(t))()
    const { sockets, written } = observed()
    const slot = sockets.add(pair.near, pair.handle)
    const descriptor = descriptorOf(pair.near)
    t.same(writeTo(sockets, slot), [])
    t.ok(written.delete(descriptor))
    end(pair)
    t.ok(openAs(t, descriptor), 'another has the number')
    t.same(writeTo(sockets, slot), [0], 'it is refused')
    t.same([...written], [-1])
    t.equal(sockets.free[slot], 0)
  })
}

t.test('a connection that ends by itself has no descriptor when its number is free', async t => {
  const open = await socketPairs(t)
  for (const end of [
    ({ near, far }: SocketPair) => near.end() && far.resume() && far.end(),
    ({ far }: SocketPair) => far.resetAndDestroy(),
    ({ far }: SocketPair) => far.end(),
  ]) {
    const { sockets, written } = observed()
    const pair = await open()
    const slot = sockets.add(pair.near, pair.handle)
    const descriptor = descriptorOf(pair.near)
    let isFree = false
    pair.near.once('close', () => {
      isFree = openAs(t, descriptor)
    })
    pair.near.resume()
    end(pair)
    await until(() => isFree)
    t.same(writeTo(sockets, slot), [0])
    t.same([...written], [-1])
  }
})

t.test('a slot that is given back hears nothing of the socket before', async t => {
  const open = await socketPairs(t)
  const { sockets, written } = observed()
  const [one, other] = [await open(), await open()]
  const slot = sockets.add(one.near, one.handle)
  sockets.delete(slot)
  t.equal(sockets.add(other.near, other.handle), slot)
  one.near.destroy()
  t.same(writeTo(sockets, slot), [])
  t.same([...written], [descriptorOf(other.near)])
})

type Member = {
  readonly pair: SocketPair
  readonly slot: number
  readonly got: () => Buffer
  sent: string
  isGone: boolean
}

t.test('a handle that is closed twice takes nothing from who has the slot next', async t => {
  const open = await socketPairs(t)
  const { sockets, written } = observed()
  const [one, other] = [await open(), await open()]
  const slot = sockets.add(one.near, one.handle)
  endings['a close of the handle']?.(one)
  sockets.delete(slot)
  t.equal(sockets.add(other.near, other.handle), slot)
  one.near.destroy()
  t.same(writeTo(sockets, slot), [])
  t.same([...written], [descriptorOf(other.near)])
})

t.test('no byte reaches a connection that has the descriptor of one that is gone', async t => {
  const open = await socketPairs(t)
  const { sockets } = observed()
  const prng = new Prng('descriptors')
  const ways = Object.values(endings)
  const members: Member[] = []
  const strangers: (() => Buffer)[] = []
  const numbersOfGone = new Set<number>()
  /** Slots that are written to: of some it has not been said yet that they are gone. */
  const slots = new Map<number, Member>()
  let reused = 0
  const join = async (): Promise<void> => {
    const pair = await open()
    const slot = sockets.add(pair.near, pair.handle)
    const member = { pair, slot, got: received(pair.far), sent: '', isGone: false }
    members.push(member)
    slots.set(slot, member)
  }
  const end = (member: Member): void => {
    numbersOfGone.add(descriptorOf(member.pair.near))
    member.isGone = true
    ways[prng.below(ways.length)]?.(member.pair)
    if (prng.below(2) === 0) return
    sockets.delete(member.slot)
    slots.delete(member.slot)
  }
  const meet = async (): Promise<void> => {
    const { near, far } = await open()
    if ([near, far].some(socket => numbersOfGone.has(descriptorOf(socket)))) reused++
    strangers.push(received(near), received(far))
  }
  for (let n = 0; n < 16; n++) await join()
  for (let round = 0; round < 60; round++) {
    const present = members.filter(({ isGone }) => !isGone)
    for (const member of present.slice(0, 1 + prng.below(3))) end(member)
    for (let n = 0; n < 3; n++) await meet()
    const bytes = Buffer.from(`${round};`)
    for (const slot of slots.keys()) sockets.free[slot] = 1_000
    const failed = sockets.writeAll(Int32Array.from(slots.keys()), slots.size, bytes)
    for (const [at, member] of [...slots.values()].entries()) {
      t.equal(failed.includes(at), member.isGone)
      if (!member.isGone) member.sent += bytes.toString()
    }
    for (let n = 0; n < 3; n++) await join()
  }
  t.ok(reused > 30, `${reused} connections had the descriptor of one before`)
  const present = members.filter(({ isGone }) => !isGone)
  t.ok(present.length > 10)
  await until(() => present.every(({ got, sent }) => got().length >= sent.length))
  for (const { got, sent } of present) t.equal(got().toString(), sent)
  t.same(
    strangers.map(got => got().length),
    strangers.map(() => 0),
  )
})

t.test('nothing is written behind the end, nor beside what waits in the stream', async t => {
  const open = await socketPairs(t)
  const { sockets } = observed()
  const ended = await open()
  const slot = sockets.add(ended.near, ended.handle)
  ended.near.end('last')
  t.same(writeTo(sockets, slot), [0])
  const got = received(ended.far)
  await new Promise(resolve => ended.far.once('end', resolve))
  t.equal(got().toString(), 'last')
  const waiting = await open()
  const other = sockets.add(waiting.near, waiting.handle)
  waiting.near.cork()
  waiting.near.write('first')
  t.same(writeTo(sockets, other), [0])
  waiting.near.uncork()
  t.same(writeTo(sockets, other), [])
  const all = received(waiting.far)
  await until(() => all().length === 10)
  t.equal(all().toString(), 'firsthello')
})

t.test('what a slow reader takes in parts arrives complete and in order', async t => {
  const pair = await (await socketPairs(t))()
  const { near, far, handle } = pair
  const { sockets } = observed()
  const slot = sockets.add(near, handle)
  const prng = new Prng('slow reader')
  const [sent, got] = [createHash('sha256'), createHash('sha256')]
  let sentBytes = 0
  let gotBytes = 0
  let parts = 0
  let direct = 0
  far.on('data', chunk => {
    got.update(chunk)
    gotBytes += chunk.length
  })
  far.pause()
  for (let n = 0; n < 1_500; n++) {
    const bytes = Buffer.alloc(1 + prng.below(100_000), `${n}/`)
    sent.update(bytes)
    sentBytes += bytes.length
    if (isQuiet(near, handle)) {
      direct++
      t.same(writeTo(sockets, slot, bytes), [])
      if (near.writableLength > 0) {
        parts++
        t.equal(sockets.free[slot], 0, 'nothing is free while the rest waits')
      }
    } else {
      near.write(bytes)
    }
    if (n % 97 === 96) {
      far.resume()
      await until(() => near.writableLength === 0)
      far.pause()
    }
  }
  far.resume()
  await until(() => gotBytes === sentBytes)
  t.equal(got.digest('hex'), sent.digest('hex'))
  t.ok(parts >= 5, `${parts} of ${direct} direct writes were taken in part`)
  t.ok(direct > 50)
})
