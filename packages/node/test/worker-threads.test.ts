import { testReplicaWorkerPort } from '@fanfold/conformance'
import t from 'tap'
import { snapshotCodec } from '../src/snapshot-codec.ts'
import { createReplicaWorker } from '../src/worker-threads.ts'

/** Threads keep no process alive; a test that waits for one does. */
const keepAlive = setInterval(() => undefined, 60_000)
t.teardown(() => clearInterval(keepAlive))

t.test('a worker on a thread', async t => {
  testReplicaWorkerPort(t, async options => {
    const open = createReplicaWorker(options)
    const opened: { close(): Promise<void> }[] = []
    return {
      open: receive => {
        const worker = open(receive)
        opened.push(worker)
        return worker
      },
      codec: snapshotCodec,
      close: async () => {
        await Promise.all(opened.map(worker => worker.close()))
      },
    }
  })
})
