import { readdirSync } from 'node:fs'
import { rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { buildLog, type LogClient, sha256 } from '@fanfold/conformance'
import { encodeSnapshot } from '@fanfold/document'
import t, { type Test } from 'tap'
import { nodeFileSystem } from '../src/file-system.ts'
import { flip, recover, segmentName, tearTail, writeLog } from './log-rig.ts'
import { doc, docPath, makeClient, makeTemporaryDirectory } from './temporary.ts'

t.test('a snapshot that does not verify is set aside, and the one before it used', async t => {
  for (const offset of [3, 12, 60, -5]) {
    const { client, directory, seqs } = await writeSnapshots(t)
    await client.store.close()
    await flip(join(directory, docPath, snapshotName(6)), offset)
    const reasons: string[] = []
    const onSetAside = ({ reason }: { reason: string }) => reasons.push(reason)
    const opened = await makeClient(t, directory, { onSetAside }).open(doc)
    t.same(reasons, ['damaged'])
    t.equal(opened.snapshot?.manifest.at.seq, 4)
    t.same(seqs(opened.records), [5, 6])
    t.same(snapshotNames(directory), [snapshotName(4), `${snapshotName(6)}.bad`])
  }
})

t.test('snapshots that another node removes meanwhile are not missed', async t => {
  const log = buildLog({ doc, count: 6 })
  const { directory } = await writeLog(t, log)
  const keep = async (n: number, client: LogClient) =>
    client.keepSnapshot(
      doc,
      encodeSnapshot({
        at: { epoch: 1, seq: n, hash: log.records[n - 1]?.chainHash ?? new Uint8Array(0) },
        state: { n },
        definition: undefined,
        sha256,
      }),
    )
  const files = { ...nodeFileSystem }
  const client = makeClient(t, directory, { files })
  await client.open(doc)
  for (const n of [2, 3]) t.match(await keep(n, client), { kind: 'log-snapshot-kept' })
  files.remove = async path => {
    await nodeFileSystem.remove(path)
    await nodeFileSystem.remove(path)
  }
  t.match(await keep(4, client), { kind: 'log-snapshot-kept', seq: 4 })
  const folder = join(directory, docPath)
  files.list = async path => {
    const names = await nodeFileSystem.list(path)
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.snapshot')) await rm(join(folder, name))
    }
    return names
  }
  client.release(doc)
  const { answer, snapshot, records } = await client.open(doc)
  t.match(answer, { kind: 'log-opened', epoch: 1 })
  t.equal(snapshot, undefined)
  t.equal(records.length, 6)
})

t.test('without any good snapshot the whole log is read', async t => {
  const { client, directory, seqs } = await writeSnapshots(t)
  await client.store.close()
  for (const seq of [4, 6]) await truncate(join(directory, docPath, snapshotName(seq)), 100)
  const opened = await makeClient(t, directory).open(doc)
  t.equal(opened.snapshot, undefined)
  t.same(seqs(opened.records), [1, 2, 3, 4, 5, 6])
})

t.test('a snapshot newer than the log is set aside, which is said', async t => {
  const { client, directory, seqs } = await writeSnapshots(t)
  await client.store.close()
  await tearTail(join(directory, docPath, segmentName), 10)
  const told: unknown[] = []
  const onSetAside = (aside: unknown) => told.push(aside)
  const opened = await makeClient(t, directory, { onSetAside }).open(doc)
  const path = join(directory, docPath, snapshotName(6))
  t.same(told, [{ path, reason: 'newer than its log' }])
  t.equal(opened.snapshot?.manifest.at.seq, 4)
  t.same(seqs(opened.records), [5])
  t.ok(snapshotNames(directory).includes(`${snapshotName(6)}.bad`))
})

t.test('a snapshot of another history is set aside', async t => {
  const { client, directory, seqs } = await writeSnapshots(t)
  const other = buildLog({ doc, count: 5, seed: 'other' })
  await client.keepSnapshot(
    doc,
    encodeSnapshot({ at: other.end, state: { n: 5 }, definition: undefined, sha256 }),
  )
  await client.store.close()
  await rm(join(directory, docPath, snapshotName(6)))
  const reasons: string[] = []
  const onSetAside = ({ reason }: { reason: string }) => reasons.push(reason)
  const opened = await makeClient(t, directory, { onSetAside }).open(doc)
  t.same(reasons, ['of another log'])
  t.equal(opened.snapshot, undefined)
  t.same(seqs(opened.records), [1, 2, 3, 4, 5, 6])
  t.same(snapshotNames(directory), [`${snapshotName(5)}.bad`])
})

t.test('snapshots without a log refuse the document: it is not empty, it is lost', async t => {
  const { client, directory } = await writeSnapshots(t)
  await client.store.close()
  await rm(join(directory, docPath, segmentName))
  t.match((await recover(t, directory)).answer, /^FANFOLD_LOG_DAMAGED .*which has been lost/)
  t.same(snapshotNames(directory), [snapshotName(4), snapshotName(6)])
})

t.test('segments before the newest snapshot are not read', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory, { segmentBytesMax: 1 })
  await client.open(doc)
  const first = buildLog({ doc, count: 2 })
  const second = buildLog({ doc, count: 2, after: first.end })
  const third = buildLog({ doc, count: 2, after: second.end })
  for (const log of [first, second, third]) await client.append(log)
  await client.keepSnapshot(
    doc,
    encodeSnapshot({ at: second.end, state: {}, definition: undefined, sha256 }),
  )
  await client.store.close()
  await rm(join(directory, docPath, segmentName))
  const opened = await makeClient(t, directory).open(doc)
  t.equal(opened.snapshot?.manifest.at.seq, 4)
  t.equal(opened.records.length, 2)
})

/** Six records, with snapshots kept at 2, 4 and 6: the two newest stay. */
async function writeSnapshots(t: Test): Promise<{
  client: LogClient
  directory: string
  seqs: (records: readonly { readonly seq: number }[]) => number[]
}> {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await client.open(doc)
  let log = buildLog({ doc, count: 2 })
  for (const seq of [2, 4, 6]) {
    await client.append(log)
    await client.keepSnapshot(
      doc,
      encodeSnapshot({ at: log.end, state: { n: seq }, definition: undefined, sha256 }),
    )
    log = buildLog({ doc, count: 2, after: log.end })
  }
  t.same(snapshotNames(directory), [snapshotName(4), snapshotName(6)], 'the two newest are kept')
  return { client, directory, seqs: records => records.map(record => record.seq) }
}

const snapshotName = (seq: number): string => `0000000001-${String(seq).padStart(16, '0')}.snapshot`

const snapshotNames = (directory: string): string[] =>
  readdirSync(join(directory, docPath))
    .filter(name => name.includes('snapshot'))
    .sort()
