/*
 * The authority dies at moments that a seed chooses, while a recording is fed, and is started again on
 * the same directory and port. FANFOLD_KILLS and FANFOLD_KILL_SEED ask for more, and for others.
 */
import { connect } from '@fanfold/client'
import type { JsonValue } from '@fanfold/document'
import t from 'tap'
import { WebSocket } from 'ws'
import { Cluster } from './cluster.ts'
import { RawViewer } from './raw-viewer.ts'
import { canonicalHash, chanceOf, seededRecording } from './recording.ts'
import { readRecords, recordId } from './segment-files.ts'
import { untilReady } from './tree.ts'
import { until, within } from './until.ts'

const killCount = Number(process.env['FANFOLD_KILLS'] ?? 5)
const seed = process.env['FANFOLD_KILL_SEED'] ?? 'kills'
const linesPerKill = 500
const inFlightMax = 64
t.setTimeout(60_000 + killCount * 10_000)

await t.test(`nothing is lost or doubled when the authority is killed, seed ${seed}`, async t => {
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

  const live = connect(edge.url, {
    token,
    WebSocket,
    writeUrl: url,
    backoff: { minMs: 50, maxMs: 500 },
  })
  t.teardown(() => live.close())
  const { state, lines, finalHash } = seededRecording(
    `${seed}/lines`,
    linesPerKill * (killCount + 1),
  )
  await live.send(doc, 'start', { state })
  const raw = await RawViewer.open({ url: edge.url, token, doc })
  const match = live.observe(doc)
  await raw.untilSeq(2)

  const chance = chanceOf(seed)
  const killAt = Array.from({ length: killCount }, (_, index) =>
    Math.floor((index + 0.2 + 0.8 * chance()) * linesPerKill),
  )
  const committedAt = new Map<string, number>()
  let sent = 0
  const failures: unknown[] = []
  const work = async (): Promise<void> => {
    for (let index = sent++; index < lines.length; index = sent++) {
      const id = `line-${index}`
      const { seq } = await live.send(doc, 'merge', lines[index], { id })
      committedAt.set(id, seq)
    }
  }
  const feed = Promise.all(Array.from({ length: inFlightMax }, work))
  feed.catch(error => failures.push(error))

  for (const count of killAt) {
    await until(`${count} lines are committed`, () => {
      if (failures.length > 0) throw failures[0]
      return committedAt.size >= count
    })
    const toldBefore = raw.small.length
    await authority.kill()
    await raw.untilTold({ type: 'status', doc, status: 'stale' }, toldBefore)
    authority = await cluster.start({ name: 'authority', roles: ['authority'], port })
    await raw.untilTold({ type: 'status', doc, status: 'live' }, toldBefore)
  }
  await within('the feed ends', feed)

  const records = readRecords(`${cluster.directory}/authority`, doc)
  const last = records.at(-1)?.seq ?? 0
  await raw.untilSeq(last)
  await until('the viewer of the SDK is there too', () => match.seq >= last)
  t.equal(match.status, 'live')
  t.same(raw.problems, [], 'ranges adjoin and every delta applies')
  t.equal(canonicalHash(raw.state ?? {}), finalHash, 'the state of a viewer that was always there')
  t.equal(canonicalHash(match.view as JsonValue), finalHash, 'the same by the SDK')

  const seqs = new Map<string, number[]>()
  for (const record of records) {
    const id = recordId(record)
    if (id?.startsWith('line-')) seqs.set(id, [...(seqs.get(id) ?? []), record.seq])
  }
  t.equal(seqs.size, lines.length, 'each line is in the log')
  const wrong = [...seqs].filter(([id, at]) => at.length !== 1 || at[0] !== committedAt.get(id))
  t.same(wrong, [], 'once, and where its writer was told')
  t.equal(authority.isRunning && proxy.isRunning && edge.isRunning, true)
})
