import t from 'tap'
import { type Death, DeathsSeen } from '../src/deaths.ts'

const death = (node: string, atMs: number, backAtMs = atMs + 3_000): Death => ({
  node,
  role: node.split('-')[0],
  url: `ws://127.0.0.1:${node.length}`,
  atMs,
  backAtMs,
})

/** Something every 50 ms, but not within one of these times. */
const times = (fromMs: number, toMs: number, ...without: (readonly [number, number])[]): number[] =>
  Array.from({ length: (toMs - fromMs) / 50 + 1 }, (_, index) => fromMs + index * 50).filter(
    atMs => !without.some(([from, to]) => atMs > from && atMs < to),
  )

t.test('a wait is put down to who died within it', async t => {
  const seen = new DeathsSeen([death('proxy-1', 2_000), death('edge-1', 9_000)])
  for (const atMs of times(0, 20_000)) seen.acknowledged('d', atMs)
  for (const atMs of times(0, 20_000, [2_050, 2_400])) seen.shown('a', 'd', 'delta', atMs)
  for (const atMs of times(0, 20_000, [8_950, 9_800])) seen.shown('b', 'd', 'delta', atMs)
  for (const atMs of times(0, 20_000, [15_000, 15_500])) seen.shown('c', 'd', 'delta', atMs)
  const { followers, authority, nobodyDied, writers } = seen.histograms()
  t.match(followers, { count: 2, p50: 350, most: 850 })
  t.match(nobodyDied, { count: 1, most: 500 })
  t.equal(authority.count + writers.count, 0)
})

t.test('a document that is not written makes its viewers wait, and no other', async t => {
  const seen = new DeathsSeen([death('authority-1', 2_000), death('edge-1', 2_100)])
  for (const atMs of times(0, 9_000, [2_000, 3_200])) seen.acknowledged('d', atMs)
  for (const atMs of times(0, 9_000)) seen.acknowledged('other', atMs)
  for (const atMs of times(0, 9_000, [2_000, 3_300])) seen.shown('a', 'd', 'delta', atMs)
  for (const atMs of times(0, 9_000, [2_050, 2_700])) seen.shown('b', 'other', 'delta', atMs)
  const { followers, authority, writers, nobodyWrites } = seen.histograms()
  t.match(writers, { count: 1, most: 1_200 })
  t.match(authority, { count: 1, most: 1_300 })
  t.match(followers, { count: 1, most: 650 })
  t.equal(nobodyWrites.count, 0)
})

t.test('when both authorities are dead that is told apart', async t => {
  const seen = new DeathsSeen([death('authority-1', 2_000), death('authority-2', 3_000)])
  for (const atMs of times(0, 12_000, [3_000, 6_000])) {
    seen.acknowledged('d', atMs)
    seen.shown('a', 'd', 'delta', atMs)
  }
  const { writers, writersAlone, authority, nobodyWrites } = seen.histograms()
  t.equal(writers.count + authority.count, 0)
  t.match([writersAlone, nobodyWrites], [{ count: 1, most: 3_000 }, { most: 3_000 }])
})

t.test('who loses an edge that died is timed until it is shown something again', async t => {
  const seen = new DeathsSeen([death('edge-1', 2_000)])
  seen.lineLost('a', '127.0.0.1:6', 2_004)
  seen.lineLost('b', '127.0.0.1:7', 2_010)
  seen.shown('a', 'd', 'delta', 2_300)
  seen.shown('b', 'd', 'snapshot', 2_500)
  seen.shown('b', 'd', 'delta', 2_550)
  const { viewerMisses, viewerIsBack } = seen.histograms()
  t.match(viewerMisses, { count: 1, most: 4 })
  t.match(viewerIsBack, { count: 2, p50: 296, most: 490 })
  t.same(seen.resumes, { resumed: 1, snapshots: 1 })
})

t.test('nodes that notice are timed, but not those who have just been dead themselves', async t => {
  const seen = new DeathsSeen([death('proxy-1', 2_000), death('edge-2', 2_500)])
  const about = 'proxy-1'
  seen.noticed({ node: 'edge-1', event: 'link.parent-lost', about, atMs: 2_008 })
  seen.noticed({ node: 'edge-2', event: 'link.parent-lost', about, atMs: 5_000 })
  seen.noticed({ node: 'edge-1', event: 'fleet.member-left', about, atMs: 2_030 })
  seen.noticed({ node: 'edge-1', event: 'fleet.member-left', about: 'nobody', atMs: 2_030 })
  const { childMisses, fleetMisses, peerMisses } = seen.histograms()
  t.match(
    [childMisses, fleetMisses],
    [
      { count: 1, most: 8 },
      { count: 1, most: 30 },
    ],
  )
  t.equal(peerMisses.count, 0)
})
