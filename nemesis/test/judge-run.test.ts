/*
 * The judge of real runs is tried on the files of a small one: as they are, and wrong in one place each.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { judgeRun, type RunFiles, type RunVerdict } from '../src/judge-run.ts'
import { logRecords, recordId, segmentPaths } from '../src/logs/final-log.ts'
import { losePower } from '../src/logs/power-loss.ts'
import { Cleanups } from '../src/processes/cleanups.ts'
import { ledger, pair } from '../src/scenarios/stages.ts'
import { Stage } from '../src/stage.ts'

t.setTimeout(400_000)
const directory = mkdtempSync(join(tmpdir(), 'fanfold-nemesis-'))
const cleanups = new Cleanups()
t.teardown(() => {
  cleanups.run()
  rmSync(directory, { recursive: true, force: true })
})
const stage = new Stage({
  settings: pair(),
  directory,
  seed: 'judge',
  sizes: { minutes: 1 },
  cleanups,
})
await stage.open()
// Those that viewers were there for count.
const { acknowledged: before } = await stage.writers.ask('tell')
await stage.writers.until('some writes are seen', one => one.acknowledged > before + 200)
await stage.quiet()
await stage.converge(20_000)
const right = await stage.close()
const { files } = stage
const placed = [...logRecords(files.data, ledger)]
const lastWrite = placed.at(-1)

await t.test('what happened is right', async t => {
  t.same([...right.writes.problems, ...right.views.problems, ...right.logProblems], [])
  t.ok(right.isRight)
  t.ok(right.writes.acknowledged > 200)
  t.ok(right.views.deltas > 100)
})

let copies = 0
/** A copy of all files, changed. */
async function judgeChanged(change: (copy: RunFiles) => void): Promise<RunVerdict> {
  const place = join(directory, `copy-${copies++}`)
  cpSync(files.data, join(place, 'data'), { recursive: true })
  const copy: RunFiles = {
    writers: files.writers.map((_, index) => join(place, `writers-${index}`)),
    viewers: files.viewers.map((_, index) => join(place, `viewers-${index}`)),
    data: join(place, 'data'),
    docs: files.docs,
  }
  for (const [index, path] of files.writers.entries()) cpSync(path, copy.writers[index] ?? '')
  for (const [index, path] of files.viewers.entries()) cpSync(path, copy.viewers[index] ?? '')
  change(copy)
  return await judgeRun(copy)
}

type Line = { readonly [name: string]: unknown }

/** Changes the first line of a history for which that leads to another. */
function changeLine(
  path: string | undefined,
  change: (line: Line) => Line | undefined | 'drop',
): void {
  const lines = readFileSync(path ?? '', 'utf8')
    .trimEnd()
    .split('\n')
  for (const [index, text] of lines.entries()) {
    const changed = change(JSON.parse(text))
    if (changed === undefined) continue
    if (changed === 'drop') lines.splice(index, 1)
    else lines[index] = JSON.stringify(changed)
    writeFileSync(path ?? '', `${lines.join('\n')}\n`)
    return
  }
  throw new Error('no line was changed')
}

await t.test('a log without its last record has lost a write', async t => {
  const verdict = await judgeChanged(({ data }) => {
    truncateSync(segmentPaths(data, ledger).at(-1) ?? '', placed.at(-2)?.end)
  })
  t.notOk(verdict.isRight)
  t.equal(verdict.writes.faults.lost, 1)
  t.ok(verdict.views.faults.phantoms > 0, 'which viewers were shown')
})

await t.test('a write of another value, and one that nobody sent, are found', async t => {
  const altered = await judgeChanged(({ writers }) => {
    changeLine(writers[0], line =>
      line['kind'] === 'invoke' ? { ...line, value: 'x' } : undefined,
    )
  })
  t.match(altered, { isRight: false, writes: { faults: { altered: 1 } } })
  const id = lastWrite === undefined ? undefined : recordId(lastWrite.record)
  const foreign = await judgeChanged(({ writers }) => {
    const isOf = (line: Line): boolean => line['id'] === id
    changeLine(writers[0], line => (isOf(line) ? 'drop' : undefined))
    changeLine(writers[0], line => (isOf(line) ? 'drop' : undefined))
  })
  t.match(foreign, { isRight: false, writes: { faults: { foreign: 1 } } })
})

await t.test('a write that was refused and is in the log is found', async t => {
  const verdict = await judgeChanged(({ writers }) => {
    changeLine(writers[0], ({ kind, ...line }) =>
      kind === 'ok' ? { ...line, kind: 'fail', code: 'FANFOLD_LOG_FULL' } : undefined,
    )
  })
  t.match(verdict, { isRight: false, writes: { faults: { refusedAndLogged: 1 } } })
})

await t.test('a view that is not the log’s, a step back and a gap are found', async t => {
  const isDelta = ({ kind }: Line): boolean => kind === 'delta'
  const different = await judgeChanged(({ viewers }) => {
    changeLine(viewers[0], line => (isDelta(line) ? { ...line, hash: 'another' } : undefined))
  })
  t.match(different, { isRight: false, views: { faults: { different: 1 } } })
  const gap = await judgeChanged(({ viewers }) => {
    changeLine(viewers[0], line => (isDelta(line) ? 'drop' : undefined))
  })
  t.match(gap, { isRight: false, views: { faults: { gaps: 1 } } })
  const back = await judgeChanged(({ viewers }) => {
    changeLine(viewers[0], line => (isDelta(line) ? { ...line, epoch: 99 } : undefined))
  })
  t.match(back, { isRight: false, views: { faults: { phantoms: 1 } } })
})

await t.test('a damaged record ends the log, and what is behind it is lost', async t => {
  const verdict = await judgeChanged(({ data }) => {
    const path = segmentPaths(data, ledger).at(-1) ?? ''
    const bytes = readFileSync(path)
    const at = (placed.at(-3)?.end ?? 0) - 3
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(path, bytes)
  })
  t.equal(verdict.writes.faults.lost, 3)
})

await t.test(
  'a loss of power takes nothing that somebody was told, and may take the rest',
  async t => {
    const prng = new Prng('power')
    const keptSeq = (placed.at(-1)?.record.seq ?? 0) - 20
    const heads = new Set<number>()
    for (let round = 0; round < 40; round++) {
      const data = join(directory, `power-${round}`)
      cpSync(files.data, data, { recursive: true })
      losePower({ data, doc: ledger, keptSeq, prng })
      const head = [...logRecords(data, ledger)].at(-1)?.record.seq ?? 0
      t.ok(head >= keptSeq, `the log ends at ${head}, ${keptSeq} was told`)
      heads.add(head)
      rmSync(data, { recursive: true, force: true })
    }
    t.ok(heads.size > 5, 'it ends here and there')
  },
)
