/* Logs that somebody has put back from an older copy. */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '@fanfold/client'
import { WebSocket } from 'ws'
import { cutBehind } from '../faults/damage.ts'
import { segmentPaths } from '../logs/final-log.ts'
import type { Stage } from '../stage.ts'
import { until } from '../until.ts'
import { directoryOf, filesOf, happenMsMax, whileAway, writeElsewhere, writeMany } from './aside.ts'
import { measured, writersWait } from './expectations.ts'
import type { Scenario } from './scenario.ts'
import { options, pair } from './stages.ts'

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

/** A document is put back as it was some epochs ago, which nodes below have seen; they go back with it. */
async function restore(stage: Stage): Promise<void> {
  const { files, measures, directory } = stage
  const doc = 'a/ledger/aside'
  const place = directoryOf(files.data, doc)
  const copy = join(directory, 'copy')
  await writeMany(stage, doc, 20)
  await whileAway(stage, () => cpSync(place, copy, { recursive: true }))
  for (let epoch = 0; epoch < 2; epoch++) {
    await writeMany(stage, doc, 20)
    await whileAway(stage, () => undefined)
  }
  const lost = await writeElsewhere(stage, doc)
  const token = await stage.audienceToken('open')
  const connection = connect([stage.urlOf('edge-1')], { token, WebSocket })
  const viewer = connection.observe(doc)
  const shows = ({ epoch, seq }: typeof lost): boolean =>
    viewer.epoch === epoch && viewer.seq === seq && viewer.status === 'live'
  await until('the viewer shows what will be lost', () => shows(lost), happenMsMax)
  await whileAway(stage, () => {
    rmSync(place, { recursive: true })
    cpSync(copy, place, { recursive: true })
  })
  const startedAtMs = performance.now()
  const isBack = (): boolean => viewer.epoch > (lost.epoch ?? 0) && viewer.status === 'live'
  await until('the viewer has gone back, by a higher epoch', isBack, happenMsMax)
  measures['shown'] = performance.now() - startedAtMs
  const written = await writeElsewhere(stage, doc)
  await until('the viewer shows what is written then', () => shows(written), happenMsMax)
  measures['epochs'] = (written.epoch ?? 0) - (lost.epoch ?? 0)
  measures['back'] = (lost.seq ?? 0) - (written.seq ?? 0)
  connection.close()
}

/** Scenarios of copies. */
export const restoreScenarios: readonly Scenario[] = [
  {
    name: 'snapshot-newer-than-log',
    does: 'a log is cut behind its newest snapshot, then it is an older copy, then gone: the log goes before the snapshot, and is missed where there is none',
    needs: [],
    seconds: 20,
    stage: () =>
      pair({ change: { authority: options({ 'limits.snapshotEveryRecords': snapshotEvery }) } }),
    run: snapshotNewerThanLog,
    expects: seen => [
      measured(seen, 'behind the cut', {
        what: 'records from the cut to the next write, a claim among them',
        atLeast: 1,
        atMost: 2,
      }),
      measured(seen, 'set aside', { what: 'snapshots that were set aside', atLeast: 1 }),
      measured(seen, 'behind the copy', {
        what: 'records from the end of the copy to the next write',
        atLeast: 1,
        atMost: 2,
      }),
      measured(seen, 'set aside with the copy', {
        what: 'snapshots that were set aside',
        atLeast: 1,
      }),
      measured(seen, 'refused', { what: 'refused where no log is left', atLeast: 1 }),
      measured(seen, 'left as they are', { what: 'whose snapshots stay', atLeast: 1 }),
      writersWait(seen, 4_000),
    ],
  },
  {
    name: 'restored',
    does: 'a document is put back as it was two epochs ago: its viewers go back with it, by a higher epoch',
    needs: [],
    seconds: 16,
    stage: () => pair(),
    run: restore,
    expects: seen => [
      measured(seen, 'epochs', { what: 'epochs above the one that was lost', atLeast: 1 }),
      measured(seen, 'back', { what: 'records fewer than were lost', atLeast: 1 }),
      measured(seen, 'shown', { what: 'its viewer has gone back within, ms', atMost: 5_000 }),
    ],
  },
]
