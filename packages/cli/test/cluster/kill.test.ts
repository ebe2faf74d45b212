/*
 * The authority dies at moments that a seed chooses, while a recording is fed, and is started again on
 * the same directory and port. FANFOLD_KILLS and FANFOLD_KILL_SEED ask for more, and for others.
 */
import { connect } from '@fanfold/client'
import type { JsonValue } from '@fanfold/document'
import { logRecords, recordId, until, within } from '@fanfold/nemesis'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { Cluster } from './cluster.ts'
import { runFanfold } from './fanfold-command.ts'
import { RawViewer } from './raw-viewer.ts'
import { canonicalHash, chanceOf, type Recording, seededRecording, withFiles } from './recording.ts'
import { untilReady } from './tree.ts'

const killsAsked = Number(process.env['FANFOLD_KILLS'] ?? 5)
const seed = process.env['FANFOLD_KILL_SEED'] ?? 'kills'
const linesPerKill = 500
const inFlightMax = 64
const deadlineMs = 20_000 + killsAsked * 8_000
t.setTimeout(2 * deadlineMs)

/** What feeds the recording while its authority dies. */
type Feeder = (context: {
  readonly cluster: Cluster
  readonly url: string
  readonly doc: string
  readonly recording: Recording
  /** Who was told that a line is committed, and where; by id. */
  readonly committedAt: Map<string, number>
}) => Promise<void>

/** By the SDK, many lines under way at a time. */
const bySdk: Feeder = async ({ cluster, url, doc, recording, committedAt }) => {
  const live = connect(url, {
    token: cluster.token,
    WebSocket,
    backoff: { minMs: 50, maxMs: 500 },
  })
  const { state, lines } = recording
  await live.send(doc, 'start', { state })
  let sent = 0
  const work = async (): Promise<void> => {
    for (let index = sent++; index < lines.length; index = sent++) {
      const id = `line-${index}`
      const { seq } = await live.send(doc, 'merge', lines[index], { id })
      committedAt.set(id, seq)
    }
  }
  try {
    await Promise.all(Array.from({ length: inFlightMax }, work))
  } finally {
    live.close()
  }
}

/** By the command `fanfold feed`. */
const byCommand: Feeder = async ({ cluster, url, doc, recording }) => {
  const { files } = withFiles(recording, cluster.directory)
  const { code, output, errors } = await runFanfold(
    [
      'feed',
      files.lines,
      ...['--doc', doc, '--initial', files.state],
      ...['--speed', 'max', '--in-flight', '64', '--json'],
    ],
    { FANFOLD_URL: url, FANFOLD_TOKEN: cluster.token },
    deadlineMs,
  )
  if (code !== 0) throw new Error(`fanfold feed ended with ${code}: ${errors}`)
  const { sent, malformed }: Record<string, number> = JSON.parse(output)
  if (sent !== recording.lines.length || malformed !== 0) throw new Error(output)
}

async function check(t: Test, feeder: Feeder, killCount: number): Promise<void> {
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const doc = 'a/timing/killed'
  let authority = await cluster.start({ name: 'authority', roles: ['authority'] })
  const { port, url } = authority
  const proxy = await cluster.start({ name: 'proxy', roles: ['proxy'], parents: [authority] })
  const edge = await cluster.start({
    name: 'edge',
    roles: ['edge'],
    parents: [proxy],
    options: { 'limits.viewerBudgetBytes': '64MiB' },
  })
  await untilReady(edge)
  await untilReady(proxy)
  const created = await fetch(`${authority.httpUrl}/v1/documents/${doc}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  })
  t.equal(created.status, 201)
  const raw = await RawViewer.open({ url: edge.url, token, doc })
  await raw.untilSeq(1)
  const live = connect(edge.url, { token, WebSocket })
  t.teardown(() => live.close())
  const observation = live.observe(doc)

  const recording = seededRecording(`${seed}/lines`, linesPerKill * (killCount + 1))
  const chance = chanceOf(seed)
  const committedAt = new Map<string, number>()
  const feeding = feeder({ cluster, url, doc, recording, committedAt })
  let failure: unknown
  feeding.catch(error => {
    failure = error
  })
  for (let index = 0; index < killCount; index++) {
    const seq = Math.floor((index + 0.2 + 0.8 * chance()) * linesPerKill)
    await until(`the viewer is at ${seq}`, () => {
      if (failure !== undefined) throw failure
      return raw.seq >= seq
    })
    const toldBefore = raw.small.length
    await authority.kill()
    await raw.untilTold({ type: 'status', doc, status: 'stale' }, toldBefore)
    authority = await cluster.start({ name: 'authority', roles: ['authority'], port })
    await raw.untilTold({ type: 'status', doc, status: 'live' }, toldBefore)
  }
  await within('the feed ends', feeding, deadlineMs)

  const records = [...logRecords(`${cluster.directory}/authority`, doc)].map(one => one.record)
  const last = records.at(-1)?.seq ?? 0
  await raw.untilSeq(last)
  await until('the viewer of the SDK is there too', () => observation.seq >= last)
  // A busy machine can leave a link silent for a moment: then the tree is stale, and heals.
  await until('and is live', () => observation.status === 'live')
  t.same(raw.problems, [], 'ranges adjoin and every delta applies')
  const { finalHash, lines } = recording
  t.equal(canonicalHash(raw.state ?? {}), finalHash, 'the state of a viewer that was always there')
  t.equal(canonicalHash(observation.view as JsonValue), finalHash, 'the same by the SDK')

  const seqs = new Map<string, number[]>()
  for (const record of records) {
    const id = recordId(record)
    if (id !== undefined) seqs.set(id, [...(seqs.get(id) ?? []), record.seq])
  }
  // The state that the recording begins with is a message too.
  t.equal(seqs.size, lines.length + 1, 'each line is in the log')
  t.same(
    [...seqs].filter(([, at]) => at.length !== 1),
    [],
    'once',
  )
  const lost = [...committedAt].filter(([id, seq]) => seqs.get(id)?.[0] !== seq)
  t.same(lost, [], 'and where its writer was told')
  t.ok(proxy.isRunning && edge.isRunning)
}

await t.test(`nothing is lost or doubled when the authority is killed, seed ${seed}`, async t => {
  await check(t, bySdk, killsAsked)
})

await t.test('the command that feeds a recording gets over kills by itself', async t => {
  await check(t, byCommand, Math.min(2, killsAsked))
})
