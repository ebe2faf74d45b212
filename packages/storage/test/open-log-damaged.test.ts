import { renameSync } from 'node:fs'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildLog } from '@fanfold/conformance'
import { limits, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { flip, frameBytes, recover, writeLog } from './log-rig.ts'
import { doc, docPath, makeClient, makeTemporaryDirectory } from './temporary.ts'

t.test('a flipped bit with good records behind it refuses the log and changes nothing', async t => {
  const log = buildLog({ doc, count: 6 })
  const start = -6 * frameBytes(log, -1)
  for (const offset of [start + 1, start + 5, start + 40, start + 120, -frameBytes(log, -1) - 3]) {
    const { directory, path } = await writeLog(t, log)
    await flip(path, offset)
    const before = await readFile(path)
    const { answer } = await recover(t, directory)
    t.match(answer, /^FANFOLD_LOG_DAMAGED .*0000000001-000000\.log: .* at byte \d+.*restore/)
    t.same(await readFile(path), before)
  }
})

t.test('a good record is found far behind a bad one, with and without a trace', async t => {
  const recordBytes = limits.recordBytesMax.value
  for (const isTraced of [false, true]) {
    const log = buildLog({ doc, count: 12, recordBytes, isTraced })
    const { directory, path } = await writeLog(t, log)
    // Everything from inside the second record to the last one is gone.
    const bytes = await readFile(path)
    bytes.fill(0, 8 + recordBytes + 500, bytes.length - frameBytes(log, -1))
    await writeFile(path, bytes)
    const { answer } = await recover(t, directory)
    const at = bytes.length - frameBytes(log, -1)
    t.match(answer, new RegExp(`^FANFOLD_LOG_DAMAGED .*good record at byte ${at}`))
  }
})

t.test('a header that is not whole, with records behind it, refuses the log', async t => {
  const { directory, path } = await writeLog(t, buildLog({ doc, count: 6 }))
  await flip(path, 40)
  t.match((await recover(t, directory)).answer, /^FANFOLD_LOG_DAMAGED .*no header/)
})

t.test('a bad record in a segment that others continue refuses the log', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory, { segmentBytesMax: 1 })
  await client.open(doc)
  let log = buildLog({ doc, count: 2 })
  for (let round = 0; round < 3; round++) {
    await client.append(log)
    log = buildLog({ doc, count: 2, after: log.end })
  }
  await client.store.close()
  await flip(join(directory, docPath, '0000000001-000001.log'), -5)
  const { answer } = await recover(t, directory)
  t.match(answer, /^FANFOLD_LOG_DAMAGED .*0000000001-000001\.log: .*the log goes on to 1:4/)
})

t.test('a segment in the middle that is gone refuses the log', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await client.open(doc)
  const first = buildLog({ doc, count: 2 })
  const second = buildLog({ doc, count: 2, epoch: 2, after: first.end })
  const third = buildLog({ doc, count: 2, epoch: 3, after: second.end })
  for (const log of [first, second, third]) await client.append(log)
  await client.store.close()
  await rm(join(directory, docPath, '0000000002-000000.log'))
  t.match(
    (await recover(t, directory)).answer,
    /^FANFOLD_LOG_DAMAGED .*2:4, which no segment holds/,
  )
})

t.test("another document's log in the place of this one is refused", async t => {
  const other = parseDocumentKey('acme/match/other')
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await client.open(other)
  await client.append(buildLog({ doc: other, count: 2 }))
  await client.store.close()
  const folder = join(directory, docPath)
  await cp(join(directory, 'documents/acme/match/other'), folder, { recursive: true })
  t.match((await recover(t, directory)).answer, /meta\.json: the directory of acme\/match\/other/)
  await rm(join(folder, 'meta.json'))
  t.match((await recover(t, directory)).answer, /DAMAGED .*the log of acme\/match\/other/)
  t.match((await makeClient(t, directory).open(other)).answer, { kind: 'log-opened' })
})

t.test('a segment under another name is refused', async t => {
  const { directory, path } = await writeLog(t, buildLog({ doc, count: 2 }))
  renameSync(path, join(directory, docPath, '0000000002-000000.log'))
  t.match((await recover(t, directory)).answer, /DAMAGED .*the segment of epoch 1, part 0/)
})
