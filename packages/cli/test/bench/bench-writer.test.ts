/* A writer at an authority that answers as a test has it answer. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { type WebSocket, WebSocketServer } from 'ws'
import { BenchWriter } from '../../src/bench/bench-writer.ts'
import { ValueTemplate } from '../../src/bench/value-template.ts'
import type { CommittedWrite } from '../../src/bench/write-ledger.ts'
import type { Clock } from '../../src/terminal.ts'
import { FakeTerminal } from '../fake-terminal.ts'

type Send = { readonly id: string; readonly value: { readonly n: number }; readonly doc: string }

/** The machine's own clock: writes are due by it. */
const realClock: Clock = {
  now: () => performance.now(),
  wallClock: () => Date.now(),
  wait: ms => new Promise(resolve => setTimeout(resolve, ms)),
}

async function build(
  t: Test,
  answer: (send: Send, socket: WebSocket) => readonly object[],
  over: { perSecond?: number; durationMs?: number; timeoutMs?: number } = {},
) {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: () => 'fanfold.v1',
  })
  const sends: Send[] = []
  server.on('connection', socket =>
    socket.on('message', data => {
      const send: Send = JSON.parse(String(data))
      sends.push(send)
      for (const frame of answer(send, socket)) socket.send(JSON.stringify(frame))
    }),
  )
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server on a port')
  const committed: CommittedWrite[] = []
  const writer = new BenchWriter({
    url: `ws://127.0.0.1:${address.port}`,
    token: undefined,
    doc: 'a/b/c',
    message: 'lap',
    template: new ValueTemplate('{"n":{{n}}}'),
    perSecond: 200,
    durationMs: 100,
    lateMsMax: 5_000,
    timeoutMs: 5_000,
    clock: realClock,
    committed: write => committed.push(write),
    ...over,
  })
  t.teardown(() => {
    writer.close()
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return { writer, sends, committed, terminal: new FakeTerminal({ clock: realClock }) }
}

const commit = ({ id, doc, value }: Send): object => ({
  type: 'committed',
  doc,
  id,
  epoch: 1,
  seq: value.n + 10,
})
const reject = ({ id, doc }: Send, code: string): object => ({
  type: 'rejected',
  doc,
  id,
  code,
  message: 'no',
})
const { signal } = new AbortController()

await t.test('the first write goes ahead, and the others have numbers and ids', async t => {
  const { writer, sends, committed, terminal } = await build(t, send => [commit(send)])
  await writer.begin(terminal)
  t.same(committed, [], 'it is not measured')
  await writer.run(signal)
  t.same(
    sends.map(({ value }) => value.n),
    Array.from({ length: 21 }, (_, n) => n),
  )
  t.equal(new Set(sends.map(({ id }) => id)).size, 21)
  t.equal(writer.committed, 20)
  t.equal(writer.lastSeq, 30)
  t.same(
    committed.map(({ seq }) => seq),
    Array.from({ length: 20 }, (_, n) => n + 11),
  )
  t.equal(writer.sinceDue.count, 20)
})

await t.test('writes go out whether those before were answered or not', async t => {
  const waiting: Send[] = []
  const { writer, committed, terminal } = await build(t, send => {
    if (send.value.n === 0) return [commit(send)]
    // None is answered before all are there.
    if (waiting.push(send) < 20) return []
    return waiting.map(commit)
  })
  await writer.begin(terminal)
  await writer.run(signal)
  t.equal(committed.length, 20)
  t.ok((writer.sinceDue.quantileMs(1) ?? 0) >= 80, 'the first has waited for the last')
})

await t.test('a first write that is refused ends it', async t => {
  const { writer, terminal } = await build(t, send => [reject(send, 'FANFOLD_NO_MESSAGE')])
  await t.rejects(writer.begin(terminal), { code: 'FANFOLD_NO_MESSAGE' })
})

await t.test('an authority that does not answer in time ends it, and is named', async t => {
  const { writer, terminal } = await build(t, () => [], { timeoutMs: 50 })
  await t.rejects(writer.begin(terminal), {
    code: 'FANFOLD_UNREACHABLE',
    message: /cannot reach ws:.* within 50 ms \(nothing was heard\)/,
  })
})

await t.test('a write whose value is refused is counted, and the next one goes out', async t => {
  const { writer, terminal } = await build(t, send => [
    send.value.n % 2 === 0 ? commit(send) : reject(send, 'FANFOLD_INVALID_VALUE'),
  ])
  await writer.begin(terminal)
  await writer.run(signal)
  t.match(writer, { committed: 10, failed: 10, failures: { FANFOLD_INVALID_VALUE: 10 } })
})

await t.test('a refusal that all further writes would meet ends it', async t => {
  const { writer, terminal } = await build(t, send => [
    send.value.n < 3 ? commit(send) : reject(send, 'FANFOLD_FORBIDDEN'),
  ])
  await writer.begin(terminal)
  await t.rejects(writer.run(signal), { code: 'FANFOLD_FORBIDDEN' })
})

await t.test('every write that is due is committed or failed in the end', async t => {
  // More than may wait for their answers at a time.
  const { writer, terminal } = await build(
    t,
    (send, socket) => {
      if (send.value.n === 0) return [commit(send)]
      setTimeout(() => socket.send(JSON.stringify(commit(send))), 400)
      return []
    },
    { perSecond: 5_000, durationMs: 300 },
  )
  await writer.begin(terminal)
  await writer.run(signal)
  t.equal(writer.committed + writer.failed, 1_500)
})
