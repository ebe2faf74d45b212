/* Files of an authority that are not what it wrote. */
import { cpSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { addTail, flip, type Tail, tails } from '../faults/damage.ts'
import { segmentPaths } from '../logs/final-log.ts'
import { until } from '../until.ts'
import { directoryOf, filesOf, happenMsMax, whileAway, writeElsewhere } from './aside.ts'
import { writersWait } from './expectations.ts'
import type { Scenario } from './scenario.ts'
import { ledger, options, pair } from './stages.ts'

const newestSegment = (data: string): string => segmentPaths(data, ledger).at(-1) ?? ''

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
