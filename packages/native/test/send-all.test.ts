/* What the function of the addon does with sockets, and with arguments that nobody should give it. */
import { closeSync, openSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compileAddon, loadAddon, type SendAll } from '../src/index.ts'

function built(): SendAll {
  const path = join(t.testdir(), 'direct-send.node')
  compileAddon({ compiler: 'cc', path })
  const addon = loadAddon(path)
  if (addon.kind === 'absent') throw new Error(addon.reason)
  return addon.sendAll
}

const sendAll = built()

/** Two ends of a TCP connection, with the descriptor of the near one; the far one is paused. */
async function connected(t: Test): Promise<{ near: Socket; far: Socket; descriptor: number }> {
  const server = createServer({ pauseOnConnect: true })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>(resolve => server.once('connection', resolve))
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await new Promise<void>(resolve => near.once('connect', resolve))
  const far = await accepted
  server.close()
  for (const socket of [near, far]) {
    socket.on('error', () => undefined)
    t.teardown(() => socket.destroy())
  }
  return { near, far, descriptor: Reflect.get(Reflect.get(near, '_handle'), 'fd') }
}

/** Calls it as JavaScript may, whatever the types say. */
const call = (...given: readonly unknown[]): unknown => Reflect.apply(sendAll, undefined, given)

t.test('all sockets take the same bytes, and nothing is said of those that took all', async t => {
  const pairs = await Promise.all([connected(t), connected(t), connected(t)])
  const bytes = Buffer.from('the same for all')
  const results = new Int32Array(6).fill(7)
  t.equal(
    sendAll(
      Int32Array.from(pairs, one => one.descriptor),
      3,
      bytes,
      results,
    ),
    0,
  )
  t.same([...results], [7, 7, 7, 7, 7, 7])
  for (const { far } of pairs) {
    const data = await new Promise<Buffer>(resolve => far.once('data', resolve).resume())
    t.equal(data.toString(), 'the same for all')
  }
})

t.test('only the first `count` are written to', async t => {
  const [one, other] = await Promise.all([connected(t), connected(t)])
  const descriptors = Int32Array.of(one.descriptor, other.descriptor)
  t.equal(sendAll(descriptors, 1, Buffer.from('x'), new Int32Array(2)), 0)
  t.equal(sendAll(descriptors, 0, Buffer.from('y'), new Int32Array(0)), 0)
  let got = ''
  other.far.on('data', data => {
    got += data.toString()
  })
  other.far.resume()
  other.near.end('z')
  await new Promise(resolve => other.far.once('end', resolve))
  t.equal(got, 'z')
})

t.test('who takes a part, nothing for now, or nothing at all is told by its index', async t => {
  const [good, slow] = await Promise.all([connected(t), connected(t)])
  const much = Buffer.alloc(32 * 1_048_576)
  const results = new Int32Array(8)
  t.equal(sendAll(Int32Array.of(slow.descriptor), 1, much, results), 1)
  t.equal(results[0], 0)
  const taken = results[1] ?? 0
  t.ok(taken > 0 && taken < much.length, `${taken} bytes of ${much.length}`)
  const file = openSync(process.execPath, 'r')
  t.teardown(() => closeSync(file))
  const descriptors = Int32Array.of(-1, good.descriptor, slow.descriptor, file)
  t.equal(sendAll(descriptors, 4, Buffer.alloc(65_536), results), 3)
  const [, , second, took = -1] = results
  t.same([results[0], results[1], second, results[4], results[5]], [0, -1, 2, 3, -1])
  t.ok(took >= 0, 'a full buffer is no error')
})

t.test('a connection that the other side has reset is no end of the process', async t => {
  const { near, far, descriptor } = await connected(t)
  near.pause()
  far.resetAndDestroy()
  await new Promise(resolve => far.once('close', resolve))
  const results = new Int32Array(2)
  for (let n = 0; n < 3; n++) sendAll(Int32Array.of(descriptor), 1, Buffer.from('x'), results)
  t.same([...results], [0, -1])
})

t.test('arguments of other types are a TypeError', async t => {
  const descriptors = Int32Array.of(-1)
  const bytes = Buffer.from('x')
  const results = new Int32Array(2)
  const wrong: readonly (readonly unknown[])[] = [
    [],
    [descriptors],
    [descriptors, 1, bytes],
    [undefined, 1, bytes, results],
    [null, 1, bytes, results],
    [[-1], 1, bytes, results],
    [{ length: 1 }, 1, bytes, results],
    [Uint32Array.of(1), 1, bytes, results],
    [descriptors.buffer, 1, bytes, results],
    [new DataView(new ArrayBuffer(8)), 1, bytes, results],
    [descriptors, '1', bytes, results],
    [descriptors, 1n, bytes, results],
    [descriptors, undefined, bytes, results],
    [descriptors, 1, 'x', results],
    [descriptors, 1, Int32Array.of(1), results],
    [descriptors, 1, bytes.buffer, results],
    [descriptors, 1, undefined, results],
    [descriptors, 1, bytes, [0, 0]],
    [descriptors, 1, bytes, new Float64Array(2)],
    [descriptors, 1, bytes, Symbol('results')],
  ]
  for (const given of wrong) t.throws(() => call(...given), TypeError)
})

t.test('a count beyond the arrays is a RangeError', async t => {
  const descriptors = Int32Array.of(-1, -1)
  const bytes = Buffer.from('x')
  const results = new Int32Array(4)
  for (const count of [
    3,
    -1,
    0.5,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ]) {
    t.throws(() => call(descriptors, count, bytes, results), RangeError, String(count))
  }
  t.throws(() => call(descriptors, 2, bytes, new Int32Array(3)), RangeError)
  t.throws(() => call(descriptors, 1, bytes, new Int32Array(0)), RangeError)
  t.equal(call(descriptors, 2, bytes, results), 2)
})

t.test('arrays whose memory has gone elsewhere have no length', async t => {
  const detached = <Part extends Int32Array | Uint8Array>(part: Part): Part => {
    structuredClone(part.buffer, { transfer: [part.buffer as ArrayBuffer] })
    return part
  }
  const bytes = Buffer.from('x')
  t.throws(() => call(detached(Int32Array.of(-1)), 1, bytes, new Int32Array(2)), RangeError)
  t.throws(() => call(Int32Array.of(-1), 1, bytes, detached(new Int32Array(2))), RangeError)
  const { far, near, descriptor } = await connected(t)
  const gone = detached(new Uint8Array(8))
  t.equal(sendAll(Int32Array.of(descriptor), 1, gone, new Int32Array(2)), 0, 'nothing to send')
  near.end()
  far.resume()
  await new Promise(resolve => far.once('end', resolve))
  t.equal(far.bytesRead, 0)
})
