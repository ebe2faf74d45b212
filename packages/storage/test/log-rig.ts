/* Logs on disk that nobody has open: written, damaged, and opened by the next node. */
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuiltLog, buildLog } from '@fanfold/conformance'
import type { Test } from 'tap'
import { doc, docPath, makeClient, makeTemporaryDirectory } from './temporary.ts'

/** The first segment of a document's log. */
export const segmentName = '0000000001-000000.log'

/** Bytes that a record takes in its segment. */
export const frameBytes = (log: BuiltLog, index: number): number =>
  8 + (log.records.at(index)?.bytes.length ?? 0)

/** A log on disk that nobody has open. */
export async function writeLog(
  t: Test,
  log: BuiltLog,
): Promise<{ directory: string; path: string }> {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await client.open(log.doc)
  await client.append(log)
  await client.store.close()
  return { directory, path: join(directory, docPath, segmentName) }
}

/** What the next node finds, then what the one after it finds when that has gone on. */
export async function recover(
  t: Test,
  directory: string,
): Promise<{ seqs: number[]; later: number[]; answer: string }> {
  const client = makeClient(t, directory)
  const { records, answer } = await client.open(doc)
  const seqs = records.map(record => record.seq)
  if (answer.kind === 'log-open-refused') {
    return { seqs, later: [], answer: `${answer.code} ${answer.message}` }
  }
  const last = records.at(-1)
  const after =
    last === undefined
      ? undefined
      : { epoch: last.epoch, seq: last.seq, hash: last.chainHash.slice() }
  await client.append(buildLog({ doc, count: 1, epoch: answer.epoch + 1, after, seed: 'heir' }))
  await client.store.close()
  const reopened = await makeClient(t, directory).open(doc)
  return { seqs, later: reopened.records.map(record => record.seq), answer: reopened.answer.kind }
}

/** Turns one bit around; a negative offset counts from the end. */
export async function flip(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path)
  const at = offset < 0 ? bytes.length + offset : offset
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at)
  await writeFile(path, bytes)
}

/** Loses the last bytes. */
export async function tearTail(path: string, count: number): Promise<void> {
  await truncate(path, (await readFile(path)).length - count)
}
