import { Replica } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import { type BuiltLog, sha256 } from './build-log.ts'
import { LogClient } from './log-client.ts'
import type { OpenLogStoreRig } from './log-store.ts'
import type { OpenRecordSource, SourcePart } from './record-source.ts'

/**
 * A log store as a source of records: each read is by a node that opens the document anew.
 *
 * A snapshot is kept after the first stretch, so that what is before it comes as state and what is
 * after it as records.
 */
export function logStoreSource(openRig: OpenLogStoreRig): OpenRecordSource {
  return async log => {
    const rig = await openRig()
    const [first] = log
    assert(first !== undefined, 'a log of at least one stretch')
    for (const stretch of log) {
      // Each epoch is another node's, which reads the log before it claims it.
      const client = new LogClient(rig.open, rig.advance)
      await client.open(stretch.doc)
      const answer = await client.append(stretch)
      assert(answer.kind === 'log-appended', `${stretch.epoch} is appended, got ${answer.kind}`)
      if (stretch === first) await client.keepSnapshot(stretch.doc, snapshotAfter(stretch))
    }
    return {
      async *read(from): AsyncGenerator<SourcePart> {
        const client = new LogClient(rig.open, rig.advance)
        const { snapshot, records } = await client.open(first.doc)
        if (snapshot !== undefined && snapshot.manifest.at.seq > from.seq) {
          yield { kind: 'snapshot', snapshot }
        }
        for (const record of records) {
          if (record.seq > from.seq) yield { kind: 'records', records: [record] }
        }
      },
      close: () => rig.close(),
    }
  }
}

function snapshotAfter({ records }: BuiltLog): NonNullable<ReturnType<Replica['snapshot']>> {
  const replica = new Replica(sha256)
  for (const record of records) replica.append(record)
  const snapshot = replica.snapshot()
  assert(snapshot !== undefined, 'a document that exists has a snapshot')
  return snapshot
}
