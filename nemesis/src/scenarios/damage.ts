/* Files of an authority that are not what it wrote. */
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { addTail, cutBehind, flip, type Tail, tails } from '../faults/damage.ts'
import { segmentPaths } from '../logs/final-log.ts'
import type { Stage } from '../stage.ts'
import { until } from '../until.ts'
import { writersWait } from './expectations.ts'
import type { Scenario } from './scenario.ts'
import { ledger, options, pair } from './stages.ts'

const happenMsMax = 20_000

/** The authority ends, something happens to its files, and it is started again and takes writes. */
async function whileAway(stage: Stage, act: (data: string) => void): Promise<void> {
  const { fleet, files, writers } = stage
  await fleet.node('authority').kill()
  const { acknowledged } = await writers.ask('tell')
  act(files.data)
  await fleet.restart('authority')
  await writers.until('writes go on', one => one.acknowledged > acknowledged, happenMsMax)
}

const newestSegment = (data: string): string => segmentPaths(data, ledger).at(-1) ?? ''

const directoryOf = (data: string, doc: string): string => join(data, 'documents', doc)

function filesOf(data: string, ending: string, doc = ledger): string[] {
  const directory = directoryOf(data, doc)
  return readdirSync(directory)
    .filter(name => name.endsWith(ending))
    .sort()
    .map(name => join(directory, name))
}

/** What a write was answered: where it is in the log, or why it is not. */
type Answer = {
  readonly code?: string
  readonly epoch?: number
  readonly seq?: number
}

/** Asks for a write of another document. */
async function writeElsewhere(stage: Stage, doc: string): Promise<Answer> {
  const token = await stage.fleet.writerToken('elsewhere')
  const { port } = stage.fleet.node('authority')
  const answer = await fetch(`http://127.0.0.1:${port}/v1/documents/${doc}/messages/put`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ writer: 'elsewhere', value: 'x' }),
  })
  const said: Answer = JSON.parse(await answer.text())
  return said
}

/** Writes so often; the last place of it. */
async function writeMany(stage: Stage, doc: string, count: number): Promise<number> {
  const answers = Array.from({ length: count }, () => writeElsewhere(stage, doc))
  return Math.max(...(await Promise.all(answers)).map(({ seq = 0 }) => seq))
}

/** Records after which a snapshot is kept where one is to be newer than its log. */
const snapshotEvery = 50

/**
 * A document whose log ends before its newest snapshot, in two ways, or is gone. What the log lost is no
 * crash's doing: somebody put it back from an older copy, and left what lay beside it.
 */
async function snapshotNewerThanLog(stage: Stage): Promise<void> {
  const { files, measures, directory } = stage
  const { data } = files
  const doc = 'a/ledger/aside'
  const snapshots = (): string[] => filesOf(data, '.snapshot', doc)
  const untilKept = async (): Promise<void> => {
    await until('a snapshot is kept', () => snapshots().length > 0, happenMsMax)
  }
  const first = await writeMany(stage, doc, snapshotEvery / 2)
  const copy = join(directory, 'copy')
  await whileAway(stage, () => cpSync(directoryOf(data, doc), copy, { recursive: true }))

  const second = await writeMany(stage, doc, 2 * snapshotEvery)
  await untilKept()
  await whileAway(stage, () => cutBehind(segmentPaths(data, doc).at(-1) ?? '', first + 10))
  const cut = await writeElsewhere(stage, doc)
  measures['behind the cut'] = (cut.seq ?? 0) - (first + 10)
  measures['set aside'] = filesOf(data, '.bad', doc).length

  const third = await writeMany(stage, doc, 2 * snapshotEvery)
  await untilKept()
  await whileAway(stage, () => {
    for (const path of segmentPaths(data, doc)) rmSync(path)
    cpSync(copy, directoryOf(data, doc), { recursive: true })
  })
  const old = await writeElsewhere(stage, doc)
  measures['behind the copy'] = (old.seq ?? 0) - first
  measures['set aside with the copy'] =
    filesOf(data, '.bad', doc).length - (measures['set aside'] ?? 0)
  stage.write('snapshot-newer.json', { first, second, cut, third, old })

  await writeMany(stage, doc, 2 * snapshotEvery)
  await untilKept()
  await whileAway(stage, () => {
    for (const path of segmentPaths(data, doc)) rmSync(path)
  })
  measures['refused'] = (await writeElsewhere(stage, doc)).code === 'FANFOLD_LOG_DAMAGED' ? 1 : 0
  measures['left as they are'] = snapshots().length
}

/** Scenarios of files. */
export const damageScenarios: readonly Scenario[] = [
  {
    name: 'bad-tails',
    does: `the authority dies, and behind its last record are ${Object.keys(tails).join(', ')}`,
    needs: [],
    seconds: 18,
    stage: () => pair(),
    run: async stage => {
      for (const tail of Object.keys(tails)) {
        await whileAway(stage, data => addTail(newestSegment(data), tail as Tail))
      }
    },
    expects: seen => [writersWait(seen, 4_000)],
  },
  {
    name: 'log-flipped',
    does: 'a bit in the middle of the log is another: the document is refused, and whole once it is back',
    needs: [],
    seconds: 15,
    stage: () => pair(),
    run: async stage => {
      const { fleet, files, writers } = stage
      await fleet.node('authority').stop()
      const turnBack = flip(newestSegment(files.data), 0.5)
      await fleet.restart('authority')
      const { refused } = await writers.ask('tell')
      await writers.until('writes are refused', one => one.refused > refused + 5, happenMsMax)
      await fleet.node('authority').stop()
      turnBack()
      await fleet.restart('authority')
      await delay(1_000)
    },
    expects: seen => [
      {
        what: 'writes are refused as the log is damaged',
        seen: seen.refusals['FANFOLD_LOG_DAMAGED'] ?? 0,
        atLeast: 5,
      },
    ],
  },
  {
    name: 'snapshot-damaged',
    does: 'a bit of the newest snapshot is another, then a bit of each that is left: the log has everything',
    needs: [],
    seconds: 20,
    stage: () => pair({ change: { authority: options({ 'limits.snapshotEveryRecords': 300 }) } }),
    run: async stage => {
      const { data } = stage.files
      const snapshots = (): string[] => filesOf(data, '.snapshot')
      await until('there are two snapshots', () => snapshots().length >= 2, happenMsMax)
      await whileAway(stage, () => flip(snapshots().at(-1) ?? '', 0.5))
      stage.measures['set aside'] = filesOf(data, '.bad').length
      await whileAway(stage, () => {
        for (const path of snapshots()) flip(path, 0.2)
      })
    },
    expects: seen => [
      {
        what: 'snapshots that were set aside',
        seen: seen.measures['set aside'] ?? 0,
        atLeast: 1,
        atMost: 1,
      },
      writersWait(seen, 4_000),
    ],
  },
  {
    name: 'snapshot-newer-than-log',
    does: 'a log is cut behind its newest snapshot, then it is an older copy, then gone: the log goes before the snapshot, and is missed where there is none',
    needs: [],
    seconds: 20,
    stage: () =>
      pair({ change: { authority: options({ 'limits.snapshotEveryRecords': snapshotEvery }) } }),
    run: snapshotNewerThanLog,
    expects: ({ measures, ackGapMs }) => [
      {
        what: 'records from the cut to the next write, a claim among them',
        seen: measures['behind the cut'] ?? 0,
        atLeast: 1,
        atMost: 2,
      },
      { what: 'snapshots that were set aside', seen: measures['set aside'] ?? 0, atLeast: 1 },
      {
        what: 'records from the end of the copy to the next write',
        seen: measures['behind the copy'] ?? 0,
        atLeast: 1,
        atMost: 2,
      },
      {
        what: 'snapshots that were set aside',
        seen: measures['set aside with the copy'] ?? 0,
        atLeast: 1,
      },
      { what: 'refused where no log is left', seen: measures['refused'] ?? 0, atLeast: 1 },
      { what: 'whose snapshots stay', seen: measures['left as they are'] ?? 0, atLeast: 1 },
      { what: 'writers of others wait no longer, ms', seen: ackGapMs, atMost: 4_000 },
    ],
  },
  {
    name: 'wrong-directory',
    does: 'the log of a document is in the place of another: that one is refused, the first goes on',
    needs: [],
    seconds: 12,
    stage: () => pair(),
    run: async stage => {
      const other = 'a/ledger/other'
      await whileAway(stage, data => {
        cpSync(directoryOf(data, ledger), directoryOf(data, other), { recursive: true })
      })
      const { code } = await writeElsewhere(stage, other)
      stage.measures['refused'] = code === 'FANFOLD_LOG_DAMAGED' ? 1 : 0
      await delay(1_000)
    },
    expects: seen => [
      { what: 'refused as a damaged log', seen: seen.measures['refused'] ?? 0, atLeast: 1 },
      writersWait(seen, 4_000),
    ],
  },
]
