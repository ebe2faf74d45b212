/*
 * A program that a test kills: it opens a document, claims the next epoch, and appends batches for as
 * long as it lives. Each acknowledged seq goes to standard output, one per line.
 */
import { writeSync } from 'node:fs'
import { buildLog, LogClient, sha256 } from '@fanfold/conformance'
import { assert } from '@fanfold/kernel'
import { type Position, parseDocumentKey, zeroPosition } from '@fanfold/protocol'
import { createFileLogStore } from '../src/file-log-store.ts'

const [directory = '', key = ''] = process.argv.slice(2)
const doc = parseDocumentKey(key)
const client = new LogClient(receive =>
  createFileLogStore({ directory, nodeId: 'node-1', sha256, receive, segmentBytesMax: 20_000 }),
)
const { records, answer } = await client.open(doc)
assert(answer.kind === 'log-opened', `the log opens, got ${JSON.stringify(answer)}`)
const last = records.at(-1)
let after: Position =
  last === undefined ? zeroPosition : { epoch: last.epoch, seq: last.seq, hash: last.chainHash }
for (let round = 0; ; round++) {
  const log = buildLog({ doc, count: 1 + (round % 7), epoch: answer.epoch + 1, after })
  const appended = await client.append(log)
  assert(appended.kind === 'log-appended', `an append counts, got ${JSON.stringify(appended)}`)
  after = log.end
  writeSync(1, `${appended.seq}\n`)
}
