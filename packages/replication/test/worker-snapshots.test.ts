import { sha256 } from '@fanfold/conformance'
import { plainCodec, Replica } from '@fanfold/document'
import t from 'tap'
import type { FollowingEffect } from '../src/parent-effect.ts'
import { PiecePacker } from '../src/piece-packer.ts'
import { WorkerNames } from '../src/worker-names.ts'
import { WorkerSnapshots } from '../src/worker-snapshots.ts'
import { after, at, doc, recordsOf, snapshotAt } from './build-stream.ts'
import { ToyWorker } from './toy-worker.ts'

const log = recordsOf(30)

/** A replica at the tenth record, and its worker. */
function rig() {
  const replica = new Replica(sha256)
  replica.reset(snapshotAt(after(log[9])))
  const worker = new ToyWorker()
  const snapshots = new WorkerSnapshots({
    doc,
    packer: new PiecePacker(plainCodec),
    names: new WorkerNames(),
  })
  /** Has a snapshot made; returns its seq. */
  const make = (): number | undefined => {
    snapshots.want()
    for (let turn = 0; turn < 10 && snapshots.isBusy; turn++) {
      const effects: FollowingEffect[] = []
      snapshots.step(replica, effects)
      worker.perform(effects)
      for (const answer of worker.answers.splice(0)) snapshots.receive(answer, replica, at(0))
    }
    return replica.lastSnapshot?.manifest.at.seq
  }
  const append = (first: number, last: number): void => {
    for (const record of log.slice(first - 1, last)) replica.append(record)
  }
  return { replica, worker, make, append }
}

t.test('a worker that is there is fed what it has not got', async t => {
  const { worker, make, append } = rig()
  append(11, 12)
  t.equal(make(), 12)
  append(13, 15)
  t.equal(make(), 15)
  t.equal(worker.done.filter(kind => kind === 'worker-open').length, 1)
})

t.test('a worker that the loop has left behind is begun again', async t => {
  const { replica, worker, make, append } = rig()
  append(11, 12)
  t.equal(make(), 12)
  // For a while the document was small: the loop applied its records and wrote it out.
  append(13, 20)
  t.equal(replica.snapshot()?.manifest.at.seq, 20)
  replica.fold()
  append(21, 22)
  t.equal(make(), 22)
  const begun = ['worker-close', 'worker-open', 'worker-feed', 'worker-encode']
  t.same(worker.done.slice(-4), begun)
  t.equal(worker.count, 1)
})
