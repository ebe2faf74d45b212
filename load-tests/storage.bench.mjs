/*
 * How many durable appends a second the log store on files does on this disk.
 *
 *   npm run build && node load-tests/storage.bench.mjs [directory]
 *
 * One JSON line per measurement on standard output; the file system on standard error. Runs for about
 * ten seconds. The directory (load-tests/.data when none is named) should be on the disk in question:
 * a tmpfs syncs nothing.
 */
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildLog, LogClient, sha256 } from '@fanfold/conformance'
import { createFileLogStore } from '@fanfold/storage'
import { median, report } from './report.mjs'

const roundMs = 700
const roundCount = 3
const recordBytes = 200
const records = 4_000
const documents = 1_000
const documentsInFlight = 4

const parent = process.argv[2] ?? fileURLToPath(new URL('.data', import.meta.url))
const directory = join(parent, `storage-${process.pid}`)
mkdirSync(directory, { recursive: true })
console.error(`${directory}: file system type 0x${statfsSync(directory).type.toString(16)}`)

const makeClient = () =>
  new LogClient(receive => createFileLogStore({ directory, nodeId: 'bench', sha256, receive }))

/** What the disk does without us: write and fdatasync, one after the other. */
function measureBare() {
  const file = openSync(join(directory, 'bare'), 'w')
  const bytes = Buffer.alloc(recordBytes)
  const values = []
  for (let round = 0; round < roundCount; round++) {
    const start = performance.now()
    let count = 0
    for (; performance.now() - start < roundMs; count++) {
      writeSync(file, bytes)
      fdatasyncSync(file)
    }
    values.push((count / (performance.now() - start)) * 1_000)
  }
  closeSync(file)
  return Math.round(median(values))
}

/** The records in stretches of `size`, ready to be appended one after the other. */
function cut(log, size) {
  const batches = []
  let { after } = log
  for (let at = 0; at + size <= log.records.length; at += size) {
    const part = log.records.slice(at, at + size)
    batches.push({ doc: log.doc, epoch: log.epoch, after, records: part })
    const last = part.at(-1)
    after = { epoch: last.epoch, seq: last.seq, hash: last.chainHash }
  }
  return batches
}

const expectAppended = answer => {
  if (answer.kind !== 'log-appended') throw new Error(JSON.stringify(answer))
}

async function oneDocument(size, bare) {
  const appends = []
  const cpu = []
  for (let round = 0; round < roundCount; round++) {
    const doc = `bench/one/${size}-${round}`
    const batches = cut(buildLog({ doc, count: Math.max(records, size * 400), recordBytes }), size)
    const client = makeClient()
    await client.open(doc)
    expectAppended(await client.append(batches[0]))
    const cpuBefore = process.cpuUsage()
    const start = performance.now()
    let count = 0
    for (const batch of batches.slice(1)) {
      expectAppended(await client.append(batch))
      count++
      if (performance.now() - start > roundMs) break
    }
    const ms = performance.now() - start
    const { user, system } = process.cpuUsage(cpuBefore)
    appends.push((count / ms) * 1_000)
    cpu.push((user + system) / count)
    await client.store.close()
  }
  report({
    bench: `storage.append.batch-${size}`,
    unit: 'appends/s',
    values: appends,
    bareWriteAndSync: bare,
  })
  const perSecond = appends.map(value => value * size)
  report({ bench: `storage.append.batch-${size}.records`, unit: 'records/s', values: perSecond })
  report({ bench: `storage.append.batch-${size}.cpu`, unit: 'us/append', values: cpu })
}

async function manyDocuments(bare) {
  const client = makeClient()
  const logs = Array.from({ length: documents }, (_, index) =>
    cut(buildLog({ doc: `bench/many/${index}`, count: roundCount + 1, recordBytes }), 1),
  )
  const appendAll = async batch => {
    let next = 0
    const work = async () => {
      while (next < documents) {
        const log = logs[next++]
        if (batch === 0) await client.open(log[0].doc)
        expectAppended(await client.append(log[batch]))
      }
    }
    const start = performance.now()
    await Promise.all(Array.from({ length: documentsInFlight }, work))
    return (documents / (performance.now() - start)) * 1_000
  }
  const created = [await appendAll(0)]
  report({ bench: 'storage.create.documents-1000', unit: 'documents/s', values: created })
  const appends = []
  for (let round = 1; round <= roundCount; round++) appends.push(await appendAll(round))
  report({
    bench: 'storage.append.documents-1000',
    unit: 'appends/s',
    values: appends,
    bareWriteAndSync: bare,
  })
  await client.store.close()
}

try {
  const bare = measureBare()
  for (const size of [1, 10, 100]) await oneDocument(size, bare)
  await manyDocuments(bare)
} finally {
  rmSync(directory, { recursive: true })
}
