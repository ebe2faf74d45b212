/*
 * Worlds with faults that are written to with the sizes and at the rates of recordings, each change in its
 * place. What a change says is drawn, as in all worlds: of recordings there are only times and sizes here.
 */
import { sha256 } from '@fanfold/conformance'
import t, { type Test } from 'tap'
import { drawWorld, numberedSeed } from '../src/drawn-world.ts'
import { replayOf, simulate } from '../src/index.ts'
import {
  type RecordedWrite,
  realdataSkip,
  recordedWrites,
  seededWrites,
} from './recorded-writes.ts'

t.setTimeout(400_000)

/** Changes of a recording that are played, and worlds in which they are. */
const stretch = 200
const worlds = 4

/** Plays changes in worlds with faults, and expects each world to have been right. */
function checkReplay(t: Test, name: string, writes: readonly RecordedWrite[]): void {
  t.equal(writes.length, stretch)
  const writeProfile = replayOf(name, writes)
  for (let number = 0; number < worlds; number++) {
    const seed = numberedSeed('faults', number)
    const drawn = drawWorld({ world: 'faults', seed, nodes: 8 })
    const result = simulate({
      ...drawn,
      seed,
      sha256,
      writeProfile,
      writes: stretch,
      deletions: 0,
      // The large ones take links that are no slower.
      linkBytesPerSecond: Math.max(200_000, drawn.linkBytesPerSecond ?? 0),
      slowBytesPerSecond: 20_000,
    })
    t.ok(result.options.faults.length > 0, `${seed} has faults`)
    t.same(result.problems, [], `${seed} has no problems`)
    const played = result.tally.find(([what]) => what === `written as ${name}`)?.[1] ?? 0
    t.ok(
      played >= stretch,
      `all ${stretch} are played in ${seed}, and ${played - stretch} more later`,
    )
    t.ok(result.counts.records > stretch / 2, `${seed} has ${result.counts.records} records`)
  }
}

t.test('changes with sizes and times from a seed arrive amid faults', async t => {
  checkReplay(t, 'seeded', seededWrites('replay', stretch))
})

t.test('a qualifying arrives amid faults', { skip: realdataSkip }, async t => {
  checkReplay(t, 'qualifying', recordedWrites('f1-2024-imola-qualifying', 4_000, stretch))
})

t.test(
  'a practice with large opaque values arrives amid faults',
  { skip: realdataSkip },
  async t => {
    checkReplay(t, 'practice', recordedWrites('f1-2023-monaco-fp2', 0, stretch))
  },
)

t.test('the results of an election arrive amid faults', { skip: realdataSkip }, async t => {
  checkReplay(t, 'election', recordedWrites('nyt-2020-election-changes', 1_000, stretch))
})
