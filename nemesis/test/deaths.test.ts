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

const shown = (
  seen: DeathsSeen,
  event: Omit<Parameters<DeathsSeen['shown']>[0], 'seq' | 'kind'> & { readonly kind: string },
): void =>
  seen.shown({
    ...event,
    kind: event.kind === 'delta' ? 'delta' : 'snapshot',
    seq: Math.floor(event.atMs / 50),
  })

t.test('a wait is put down to who died within it', async t => {
  const seen = new DeathsSeen([death('proxy-1', 2_000), death('edge-1', 9_000)])
  for (const atMs of times(0, 20_000)) seen.acknowledged('d', atMs)
  for (const atMs of times(0, 20_000, [2_050, 2_400]))
    shown(seen, { viewer: 'a', doc: 'd', kind: 'delta', atMs: atMs })
  for (const atMs of times(0, 20_000, [8_950, 9_800]))
    shown(seen, { viewer: 'b', doc: 'd', kind: 'delta', atMs: atMs })
  for (const atMs of times(0, 20_000, [15_000, 15_500]))
    shown(seen, { viewer: 'c', doc: 'd', kind: 'delta', atMs: atMs })
  const { followers, authority, nobodyDied, writers } = seen.histograms()
  t.match(followers, { count: 2, p50: 350, most: 850 })
  t.match(nobodyDied, { count: 1, most: 500 })
  t.equal(authority.count + writers.count, 0)
})

t.test('a document that is not written makes its viewers wait, and no other', async t => {
  const seen = new DeathsSeen([death('authority-1', 2_000), death('edge-1', 2_100)])
  for (const atMs of times(0, 9_000, [2_000, 3_200])) seen.acknowledged('d', atMs)
  for (const atMs of times(0, 9_000)) seen.acknowledged('other', atMs)
  for (const atMs of times(0, 9_000, [2_000, 3_300]))
    shown(seen, { viewer: 'a', doc: 'd', kind: 'delta', atMs: atMs })
  for (const atMs of times(0, 9_000, [2_050, 2_700]))
    shown(seen, { viewer: 'b', doc: 'other', kind: 'delta', atMs: atMs })
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
    shown(seen, { viewer: 'a', doc: 'd', kind: 'delta', atMs: atMs })
  }
  const { writers, writersAlone, authority, nobodyWrites } = seen.histograms()
  t.equal(writers.count + authority.count, 0)
  t.match([writersAlone, nobodyWrites], [{ count: 1, most: 3_000 }, { most: 3_000 }])
})

t.test('who loses an edge that died is timed until it is shown something again', async t => {
  const seen = new DeathsSeen([death('edge-1', 2_000)])
  for (const viewer of ['a', 'b']) shown(seen, { viewer, doc: 'd', kind: 'delta', atMs: 1_950 })
  seen.lineLost('a', '127.0.0.1:6', 2_004)
  seen.lineLost('b', '127.0.0.1:7', 2_010)
  shown(seen, { viewer: 'a', doc: 'd', kind: 'delta', atMs: 2_300 })
  shown(seen, { viewer: 'b', doc: 'd', kind: 'snapshot', atMs: 2_500 })
  shown(seen, { viewer: 'b', doc: 'd', kind: 'delta', atMs: 2_550 })
  const { viewerMisses, viewerIsBack } = seen.histograms()
  t.match(viewerMisses, { count: 1, most: 4 })
  t.match(viewerIsBack, { count: 2, p50: 296, most: 490 })
  t.same(seen.resumes, { resumed: 1, snapshots: 1, snapshotsForFew: 0 })
})

t.test('a snapshot for few changes is counted', async t => {
  const seen = new DeathsSeen([])
  for (const [viewer, atMs] of [
    ['a', 1_400],
    ['b', 1_500],
  ] as const) {
    shown(seen, { viewer, doc: 'd', kind: 'delta', atMs: 1_000 })
    seen.lineLost(viewer, 'x', 1_001)
    shown(seen, { viewer, doc: 'd', kind: 'snapshot', atMs })
  }
  t.match(seen.resumes, { snapshots: 2, snapshotsForFew: 1 }, '8 of them, and 10')
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
