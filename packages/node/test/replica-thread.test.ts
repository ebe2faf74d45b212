import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { buildLog, ReplicaWorkerClient, sha256 } from '@fanfold/conformance'
import { encodeSnapshot, type JsonObject, type Snapshot } from '@fanfold/document'
import { parseDocumentKey, zeroPosition } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { createReplicaWorker, type WorkerThreadsOptions } from '../src/worker-threads.ts'

/** Threads keep no process alive; a test that waits for one does. */
const keepAlive = setInterval(() => undefined, 60_000)
t.teardown(() => clearInterval(keepAlive))

const doc = parseDocumentKey('acme/match/final')
const log = buildLog({ doc, count: 6 })
const nothing: Snapshot = { manifest: { at: zeroPosition, pieces: [] }, pieces: [] }

/** A text that ends the thread which evaluates it. */
const deadly = 'process.exit(7)'
const ask = { variant: deadly, audience: {}, clearance: 0 }

/** Clients of one pool of threads, which end with the test. */
function makeClients(t: Test, options: WorkerThreadsOptions = {}): () => ReplicaWorkerClient {
  const open = createReplicaWorker(options)
  return () => {
    const client = new ReplicaWorkerClient(open)
    t.teardown(() => client.worker.close())
    return client
  }
}

/** A snapshot of about so many megabytes. */
function large(megabytes: number): Snapshot {
  const rows: JsonObject = {}
  for (let index = 0; index < megabytes * 1_000; index++) rows[`r-${index}`] = 'x'.repeat(1_000)
  return encodeSnapshot({ at: log.end, state: { rows }, definition: undefined, sha256 })
}

t.test('when a thread ends, its replicas fail, and the next one gets another', async t => {
  const make = makeClients(t)
  const [one, other] = [make(), make()]
  const [first, second] = [one.open(nothing), other.open(nothing)]
  one.feed(first, log.records)
  one.view(first, ask)
  t.match(await one.next(first, 'worker-failed'), { message: /ended.*7/ })
  const [failed] = await other.reports(second, 1)
  t.match(failed, { kind: 'worker-failed' })
  const third = other.open(nothing)
  other.feed(third, log.records)
  other.encode(third)
  t.equal((await other.next(third, 'worker-encoded')).snapshot.manifest.at.seq, 6)
  one.encode(first)
  t.equal(one.of(first).length, 1)
})

t.test('a thread that never comes back is ended, and all that waits for it is told', async t => {
  const make = makeClients(t, { silenceMaxMs: 1_000 })
  const [one, other] = [make(), make()]
  const [first, second] = [one.open(nothing), other.open(nothing)]
  for (const [client, replica] of [
    [one, first],
    [other, second],
  ] as const) {
    client.feed(replica, log.records)
    client.encode(replica)
    await client.next(replica, 'worker-encoded')
  }
  one.view(first, { ...ask, variant: 'for (;;) {}' })
  other.encode(second)
  t.match(await one.next(first, 'worker-failed'), { message: /said nothing for 1000 ms/ })
  t.match((await other.reports(second, 2)).at(-1), { kind: 'worker-failed', message: /ended/ })
  const third = other.open(nothing)
  other.feed(third, log.records)
  other.encode(third)
  t.equal((await other.next(third, 'worker-encoded')).snapshot.manifest.at.seq, 6)
})

t.test('the workers of a process share its threads, and do not hear of each other', async t => {
  const make = makeClients(t)
  const [one, other] = [make(), make()]
  const [first, second] = [one.open(nothing), other.open(nothing)]
  t.equal(first as number, second, 'equal names')
  one.feed(first, log.records)
  other.feed(second, log.records.slice(0, 2))
  one.encode(first)
  other.encode(second)
  t.equal((await one.next(first, 'worker-encoded')).snapshot.manifest.at.seq, 6)
  const [answer] = await other.reports(second, 1)
  t.match(answer, { kind: 'worker-encoded', snapshot: { manifest: { at: { seq: 2 } } } })
  await one.worker.close()
  other.feed(second, log.records.slice(2))
  other.encode(second)
  t.equal((await other.next(second, 'worker-encoded')).snapshot.manifest.at.seq, 6)
})

t.test('replicas are spread over the threads there may be', async t => {
  const client = makeClients(t, { threadsMax: 2 })()
  const [first, second] = [client.open(nothing), client.open(nothing)]
  client.feed(first, log.records)
  client.view(first, ask)
  await client.next(first, 'worker-failed')
  client.feed(second, log.records)
  client.encode(second)
  await client.next(second, 'worker-encoded')
  t.equal(client.of(second).length, 1, 'the other thread goes on')
})

t.test('more than may wait for a thread fails the replica it is for', async t => {
  const client = makeClients(t, { queuedBytesMax: 3_500_000 })()
  const snapshot = large(2)
  const [first, second] = [client.open(snapshot), client.open(snapshot)]
  t.same(client.inputs, [], 'not from inside the effect')
  client.encode(second)
  t.match(await client.next(second, 'worker-failed'), { message: /at most 3500000 bytes wait/ })
  client.encode(first)
  await client.next(first, 'worker-encoded')
  t.equal(client.of(second).length, 1)
  const third = client.open(snapshot)
  client.encode(third)
  await client.next(third, 'worker-encoded')
})

t.test('one that fails for want of room and is closed at once is not told', async t => {
  const client = makeClients(t, { queuedBytesMax: 1_000 })()
  const replica = client.open(large(1))
  client.close(replica)
  for (let turn = 0; turn < 5; turn++) await nextTurn()
  t.same(client.inputs, [])
})

t.test(
  'a thread that is not needed is not there, and one that idles keeps no process alive',
  async t => {
    const source = `
    import { createReplicaWorker } from ${JSON.stringify(new URL('../src/worker-threads.js', import.meta.url).href)}
    const worker = createReplicaWorker()(() => undefined)
    worker.perform({ kind: 'worker-open', replica: 1, snapshot: { manifest: { at: { epoch: 0, seq: 0, hash: new Uint8Array(32) }, pieces: [] }, pieces: [] } })
  `
    // Where it runs is a loop of its own, which ends when nothing keeps it.
    const loop = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
    const code = await new Promise(resolve => loop.once('exit', resolve))
    t.equal(code, 0)
  },
)
