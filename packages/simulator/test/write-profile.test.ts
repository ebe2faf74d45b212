import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { ProfiledWrites, replayOf, type SummaryProfile } from '../src/write-profile.ts'

const feed: SummaryProfile = {
  kind: 'summary',
  name: 'feed',
  sizes: [
    { share: 0, bytes: 20 },
    { share: 0.5, bytes: 70 },
    { share: 0.99, bytes: 600 },
    { share: 1, bytes: 9_000 },
  ],
  beginBytes: 0,
  beginMessages: 0,
  burstMax: 6,
  burstGapMs: 4,
  unevenness: 0.5,
  silenceShare: 0.1,
  silenceTimes: 10,
  quietShare: 0,
}

const beat: SummaryProfile = { ...feed, burstMax: 1, unevenness: 0, silenceShare: 0 }

const writesOf = (profile: SummaryProfile, count: number, forMs: number, documents = 1) =>
  new ProfiledWrites({ profile, prng: new Prng('profile'), documents }).next(count, forMs)

const gapsOf = (times: readonly { readonly afterMs: number }[]): number[] =>
  times.slice(1).map(({ afterMs }, index) => afterMs - (times[index]?.afterMs ?? 0))

t.test('sizes are spread as the quantiles say', async t => {
  const sizes = writesOf(feed, 20_000, 4_000)
    .map(({ bytes }) => bytes)
    .sort((a, b) => a - b)
  const quantile = (share: number): number => sizes[Math.floor(share * sizes.length)] ?? 0
  t.ok(Math.abs(quantile(0.5) - 70) <= 3, `p50 ${quantile(0.5)}`)
  t.ok(Math.abs(quantile(0.99) - 600) <= 60, `p99 ${quantile(0.99)}`)
  t.ok((sizes[0] ?? 0) >= 20 && (sizes.at(-1) ?? 0) <= 9_000)
  t.ok((sizes.at(-1) ?? 0) > 5_000, 'the largest are met')
})

t.test('messages come in order, within the time, and take all of it', async t => {
  for (const profile of [feed, beat]) {
    for (const [count, forMs] of [
      [1, 1],
      [40, 300],
      [2_000, 300],
      [200, 20_000],
    ] as const) {
      const writes = writesOf(profile, count, forMs)
      t.equal(writes.length, count)
      t.ok(gapsOf(writes).every(gap => gap >= 0))
      t.ok(writes.every(({ afterMs }) => afterMs >= 0 && afterMs <= forMs))
    }
    t.ok((writesOf(profile, 200, 4_000).at(-1)?.afterMs ?? 0) > 3_900)
  }
  t.same(writesOf(feed, 0, 1_000), [])
})

t.test('a feed has bursts and silences, and a beat has neither', async t => {
  const gaps = gapsOf(writesOf(feed, 200, 20_000))
  t.ok(gaps.filter(gap => gap <= 4).length > 60, 'several within a few ms')
  t.ok(Math.max(...gaps) > 10 * (20_000 / 200), 'and then nothing for a while')
  const even = gapsOf(writesOf(beat, 200, 20_000))
  t.ok(even.every(gap => Math.abs(gap - 100) < 1e-6))
})

t.test('nothing comes while all is quiet', async t => {
  const writes = writesOf({ ...feed, quietShare: 0.4 }, 50, 1_000)
  t.ok(writes.every(({ afterMs }) => afterMs >= 400))
})

t.test('a document is begun first and once, with half of the messages at most', async t => {
  const profile = { ...feed, beginBytes: 60_000, beginMessages: 4 }
  const writes = new ProfiledWrites({ profile, prng: new Prng('begin'), documents: 3 })
  const first = writes.next(40, 1_000)
  const begun = first.slice(0, 4)
  t.equal(new Set(begun.map(({ begins }) => begins)).size, 1, 'one of them')
  t.ok((begun[0]?.begins ?? 3) < 3)
  t.ok(first.slice(4).every(({ begins }) => begins === undefined))
  t.ok(begun.every(({ bytes, afterMs }) => bytes === 15_000 && afterMs <= 50))
  t.ok(writes.next(40, 1_000).every(({ begins }) => begins === undefined))
  const begunOf = (count: number): number =>
    writesOf(profile, count, 1_000, 3).filter(({ begins }) => begins !== undefined).length
  t.equal(begunOf(8), 4)
  t.equal(begunOf(7), 0, 'where there are too few messages for it')
})

t.test('a replay has the sizes and gaps of what was recorded, in order', async t => {
  const profile = replayOf('short', [
    { atMs: 5_000, bytes: 7 },
    { atMs: 5_010, bytes: 900 },
    { atMs: 5_010, bytes: 8 },
    // A clock that goes back loses no time afterwards.
    { atMs: 4_000, bytes: 9 },
    { atMs: 5_100, bytes: 10 },
  ])
  t.same(profile.gapsMs, [0, 10, 0, 0, 90])
  const options = { profile, prng: new Prng('unused'), documents: 2 }
  const writes = new ProfiledWrites(options)
  t.same(writes.next(5, 1_000), [
    { afterMs: 0, bytes: 7 },
    { afterMs: 100, bytes: 900 },
    { afterMs: 100, bytes: 8 },
    { afterMs: 100, bytes: 9 },
    { afterMs: 1_000, bytes: 10 },
  ])
  t.same(
    writes.next(7, 1_000).map(({ bytes }) => bytes),
    [7, 900, 8, 9, 10, 7, 900],
    'and begins anew where it ends',
  )
  t.throws(() => replayOf('empty', []), /the recording empty has a change/)
})

t.test('what was recorded at one moment is sent at one moment', async t => {
  const profile = replayOf('moment', [
    { atMs: 1, bytes: 1 },
    { atMs: 1, bytes: 2 },
  ])
  const writes = new ProfiledWrites({ profile, prng: new Prng('unused'), documents: 1 })
  t.ok(writes.next(2, 1_000).every(({ afterMs }) => afterMs === 0))
})
