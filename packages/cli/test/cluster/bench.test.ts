/*
 * `fanfold bench` as users run it: a process of its own with processes of viewers, at edges and an authority that
 * are processes too. What it finds depends on what they do, and nothing on how fast they do it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { endWithParent, until, within } from '@fanfold/nemesis'
import t, { type Test } from 'tap'
import { exitCodes } from '../../src/exit-code.ts'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { program, runFanfold } from './fanfold-command.ts'
import { untilReady } from './tree.ts'

t.setTimeout(240_000)
const doc = 'a/timing/bench'
const viewers = 200

type Fleet = {
  readonly cluster: Cluster
  readonly authority: ClusterNode
  readonly edges: readonly ClusterNode[]
}

/** An authority with two edges. */
async function startFleet(t: Test): Promise<Fleet> {
  const cluster = await Cluster.open(t)
  const authority = await cluster.start({ name: 'authority', roles: ['authority'] })
  const edges = await Promise.all(
    ['edge-1', 'edge-2'].map(name =>
      cluster.start({ name, roles: ['edge'], parents: [authority] }),
    ),
  )
  for (const edge of edges) await untilReady(edge)
  return { cluster, authority, edges }
}

/** What a load test of all edges is called with. */
const wordsOf = ({ authority, edges, cluster }: Fleet, ...more: readonly string[]): string[] => [
  'bench',
  doc,
  '--as',
  cluster.token,
  ...edges.flatMap(({ url }) => ['--url', url]),
  '--write-url',
  authority.url,
  '--viewers',
  String(viewers),
  '--processes',
  '2',
  '--json',
  ...more,
]

const writes = [
  '--message',
  'merge',
  '--value',
  '{"topic":"lap","delta":{"n":{{n}},"at":{{now}}}}',
  '--rate',
  '10',
]

await t.test('a load test finds every delta at every viewer, in order', async t => {
  const fleet = await startFleet(t)
  const words = wordsOf(fleet, ...writes, '--duration', '2s')
  const asserted = [
    ...['--assert', 'missing=0', '--assert', `connected=${viewers}`],
    ...['--assert', 'violations=0', '--assert', 'p50>0ms'],
  ]
  const { code, output, errors } = await runFanfold([...words, ...asserted], {})
  t.equal(code, exitCodes.ok, errors + output)
  const found = JSON.parse(output)
  t.match(found, {
    doc,
    viewers,
    connected: viewers,
    failed: 0,
    away: 0,
    replicas: 2,
    reconnects: 0,
    writes: 20,
    writesFailed: 0,
    missing: 0,
    violations: 0,
    latencyFrom: 'write',
    isCompared: true,
    isInterrupted: false,
  })
  // What commits at the same moment may be one delta.
  t.ok(found.deliveries > 0 && found.deliveries <= 20 * viewers, String(found.deliveries))
  t.ok(found.p50 > 0 && found.p50 <= found.p99 && found.p99 <= found.max)
  t.ok(found.ackP50 > 0 && found.bytesPerDelivery > 50)
  t.same(
    found.assertions.map(({ ok }: { ok: boolean }) => ok),
    [true, true, true, true],
  )

  await t.test('an assertion that cannot hold ends it with 4, and says what was seen', async t => {
    const plain = words.filter(word => word !== '--json')
    const short = [...plain, '--viewers', '10', '--duration', '500ms', '--assert', 'p50<0.001ms']
    const failed = await runFanfold(short, {})
    t.equal(failed.code, exitCodes['check-failed'], failed.errors)
    t.match(failed.output, /^FAILED expected p50<0\.001ms, saw [\d.]+ ms$/m)
  })

  await t.test('without a message what others write is watched', async t => {
    const own = wordsOf(fleet, ...writes, '--duration', '3s', '--viewers', '2')
    const watching = wordsOf(fleet, '--duration', '1s', '--viewers', '20')
    const [writer, watched] = await Promise.all([runFanfold(own, {}), runFanfold(watching, {})])
    t.equal(writer.code, exitCodes.ok, writer.errors)
    t.equal(watched.code, exitCodes.ok, watched.errors)
    t.match(JSON.parse(watched.output), { connected: 20, writes: 0, violations: 0, missing: 0 })
  })

  await t.test('a signal to all of its processes ends it with what was measured', async t => {
    const { PATH = '' } = process.env
    const long = wordsOf(fleet, ...writes, '--duration', '1h', '--viewers', '20')
    const child = spawn(process.execPath, ['--import', endWithParent, program, ...long], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { PATH },
      // A group of its own, as a shell makes one: the key that interrupts is sent to all of it.
      detached: true,
    })
    t.teardown(() => child.kill('SIGKILL'))
    const { stdout, stderr } = child
    if (stdout === null || stderr === null) throw new Error('its streams are pipes')
    const ended = Promise.all([once(child, 'close'), text(stdout)])
    let notes = ''
    stderr.on('data', chunk => {
      notes += String(chunk)
    })
    await until('it measures', () => /^measuring: /m.test(notes))
    process.kill(-(child.pid ?? 0), 'SIGINT')
    const [[code], output] = await within('it ends', ended)
    t.equal(code, exitCodes.failed)
    t.match(JSON.parse(output), { isInterrupted: true, connected: 20, violations: 0 })
  })

  await t.test('a message that is refused ends it before anybody comes', async t => {
    const wrong = await runFanfold(wordsOf(fleet, '--message', 'no-such-message'), {})
    t.equal(wrong.code, exitCodes.failed)
    t.match(wrong.errors, /FANFOLD_NO_MESSAGE/)
  })

  await t.test('viewers that may not see the document are no load test', async t => {
    const words = wordsOf(fleet, '--as', 'not.a.token', '--timeout', '5s')
    const denied = await runFanfold(words, {})
    t.equal(denied.code, exitCodes.unreachable)
    t.match(denied.errors, /no viewer was shown the document/)
  })
})

await t.test(
  'an edge that is killed costs its viewers their connections, and nothing else',
  async t => {
    const fleet = await startFleet(t)
    const [lost, kept] = fleet.edges
    if (lost === undefined || kept === undefined) throw new Error('there are two edges')
    const viewersAt = async ({ adminUrl }: ClusterNode): Promise<number> => {
      const text = await (await fetch(`${adminUrl}/metrics`)).text()
      return Number(/^fanfold_viewers\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0)
    }
    const running = runFanfold(wordsOf(fleet, ...writes, '--duration', '8s', '--settle', '30s'), {})
    await until(
      'half of the viewers are at the edge',
      async () => (await viewersAt(lost)) >= viewers / 2,
    )
    await lost.kill()
    const { code, output, errors } = await running
    t.equal(code, exitCodes.ok, errors + output)
    const found = JSON.parse(output)
    t.match(found, { connected: viewers, failed: 0, away: 0, missing: 0, violations: 0 })
    t.ok(found.reconnects > 0, `${found.reconnects} reconnects`)
  },
)
