import { viewLimits, viewText } from '@fanfold/topology'
import t from 'tap'
import { createConfig } from '../src/config.ts'
import { configuredViewOf, FleetAgreement, membersOptionsOf } from '../src/fleet-agreement.ts'
import { createLog } from '../src/logging.ts'
import { Metrics } from '../src/metrics.ts'

const peerOf = (node: string) => ({
  node,
  incarnation: 'i',
  region: 'eu',
  roles: ['proxy'],
  ceiling: 0,
})

/** An agreement on `a` and `b`, what it logs and counts, and its time. */
function agreed() {
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => {
    lines.push(JSON.parse(line))
  }
  const log = createLog({ level: 'info', node: 'n', region: 'eu', destination: { write } })
  const metrics = new Metrics({ version: '0', region: 'eu', isProcessCollected: false })
  const time = { nowMs: 0 }
  const view = { a: 1, b: 'x' }
  const agreement = new FleetAgreement({ view, log, metrics, nowMs: () => time.nowMs })
  const refused = async (): Promise<string | undefined> =>
    /^fanfold_links_differing_total.* (\d+)$/m.exec(await metrics.render())?.[1]
  return { agreement, lines, time, refused }
}

t.test('a peer that is set alike is not refused, in whatever order it says so', async t => {
  const { agreement, lines, refused } = agreed()
  t.equal(agreement.refusalOf(peerOf('p'), agreement.configuredView), undefined)
  t.equal(agreement.refusalOf(peerOf('p'), '[["b","x"],["a",1]]'), undefined)
  t.same(lines, [])
  t.equal(await refused(), '0')
})

t.test(
  'one that is not is told each difference with both values, and both fingerprints',
  async t => {
    const { agreement, lines } = agreed()
    const refusal = agreement.refusalOf(peerOf('p'), viewText({ a: 2, c: true }))
    t.match(
      refusal,
      /^the nodes are set differently, [0-9a-f]{12} here and [0-9a-f]{12} there: a is 1 here and 2 there; b is "x" here and not set there; c is not set here and true there$/,
    )
    t.match(lines, [
      {
        level: 'error',
        event: 'link.view-differs',
        peer: 'p',
        fingerprint: agreement.fingerprint.slice(0, 12),
        peerFingerprint: /^[0-9a-f]{12}$/,
        differences: [{ name: 'a', ours: 1, theirs: 2 }, { name: 'b' }, { name: 'c' }],
        msg: /set both alike, and restart/,
      },
    ])
  },
)

t.test('what comes again and again is counted each time, and logged once a minute', async t => {
  const { agreement, lines, time, refused } = agreed()
  const come = (node: string, view = '[["a",2]]') => agreement.refusalOf(peerOf(node), view)
  for (; time.nowMs < 60_000; time.nowMs += 1_000) come('p')
  t.equal(lines.length, 1)
  come('p')
  come('q')
  come('q', '[["a",3]]')
  t.same(
    lines.map(({ peer }) => peer),
    ['p', 'p', 'q', 'q'],
  )
  t.equal(await refused(), '63')
})

t.test('what is no view, or is too large for one, is refused without being shown', async t => {
  const { agreement, lines } = agreed()
  const { value: bytesMax } = viewLimits.viewBytesMax
  for (const view of ['{}', 'x', `[["a","${'x'.repeat(bytesMax)}"]]`]) {
    t.match(
      agreement.refusalOf(peerOf(view.slice(0, 3)), view),
      / and unknown there: what the peer says of it is not read here$/,
    )
  }
  t.equal(lines.length, 3)
  t.ok(lines.every(line => line['differences'] === undefined))
})

t.test('what a fleet must agree on is what its timers and names are set to', async t => {
  const directory = t.testdir()
  const config = createConfig(
    { 'limits.memberDeadAfterMs': '9s', 'limits.memberHeartbeatMs': '2s' },
    directory,
  )
  t.same(configuredViewOf(config), {
    'redis.keyPrefix': 'fanfold:',
    'limits.memberDeadAfterMs': 9_000,
    'limits.memberHeartbeatMs': 2_000,
    placement: 'rendezvous-1',
  })
  t.match(membersOptionsOf(config), { heartbeatMs: 2_000, memberDeadAfterMs: 9_000 })
  t.not(viewText(configuredViewOf(config)), viewText(configuredViewOf(createConfig({}, directory))))
})
