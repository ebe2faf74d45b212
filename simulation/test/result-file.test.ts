import { writeFileSync } from 'node:fs'
import t from 'tap'
import { CampaignResult } from '../src/campaign-result.ts'
import { readResultFile, sumResultFiles, writeResultFile } from '../src/result-file.ts'
import { buildOutcome, buildTask } from './build-outcome.ts'

const machine = { commit: 'abc', node: 'v20', cpu: 'any', cores: 2 }

/** A campaign of some worlds, in a file. */
function write(file: string, numbers: readonly number[], commit = 'abc'): void {
  const result = new CampaignResult()
  for (const number of numbers) result.add(buildOutcome({ task: buildTask({ number }) }))
  writeResultFile(file, result.figures(2, { ...machine, commit }))
}

t.test('the figures of stages add up, with the machines that ran them', async t => {
  const folder = t.testdir()
  const [first, second] = [`${folder}/a.json`, `${folder}/b.json`]
  write(first, [0, 1, 2])
  write(second, [3, 4], 'def')
  const { result, seconds } = sumResultFiles([first, second])
  t.match(result.figures(seconds), {
    seconds: 4,
    seeds: 5,
    events: 50,
    eventsPerSecond: 13,
    machines: [machine, { ...machine, commit: 'def' }],
    worlds: [{ world: 'random', ranges: [[0, 4]] }],
  })
  t.throws(() => sumResultFiles([first, first]), /seeds 0 to 2 are counted twice/)
})

t.test('a file of something else is refused', async t => {
  const file = `${t.testdir()}/a.json`
  for (const text of ['{}', '[]', '7', '{"version":0}']) {
    writeFileSync(file, text)
    t.throws(() => readResultFile(file), /is no result of a campaign, version 1/)
  }
})
