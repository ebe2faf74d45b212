import type { CohortId } from '@fanfold/protocol'
import t from 'tap'
import { turns, until } from './client-rig.ts'
import { observe, rig, text } from './viewer-rig.ts'

const cohort = 1 as CohortId
const budgetBytes = 16_384
const filler = (length: number) => text({ filler: 'x'.repeat(length) })

t.test('a viewer that reads and answers no ping lags, and is closed in the end', async t => {
  const { open, perform, viewers, clock, inputs } = await rig(t)
  const { client, viewer } = await open('good', { autoPong: false })
  const quick = await open()
  perform(
    { kind: 'cohort-enter', cohort, viewer, mark: 0 },
    { kind: 'cohort-enter', cohort, viewer: quick.viewer, mark: 0 },
    { kind: 'cohort-send', cohort, frame: filler(5_000), mark: 1 },
  )
  await until(() => client.frames.length === 1 && quick.client.frames.length === 1)
  await quick.client.isRead()
  clock.advance(1_000)
  perform({ kind: 'cohort-send', cohort, frame: text({ n: 2 }), mark: 2 })
  await until(() => client.frames.length === 2)
  t.equal(viewers.stats().lagging, 0)
  clock.advance(500)
  perform({ kind: 'cohort-send', cohort, frame: text({ n: 3 }), mark: 3 })
  await until(() => quick.client.frames.length === 3)
  t.match(viewers.stats(), { lagging: 1, lags: 1 })
  // What it says proves that it is there, and not that it takes anything.
  for (let second = 0; second < 35; second++) {
    client.send(observe)
    await client.isRead()
    quick.client.send(observe)
    await quick.client.isRead()
    clock.advance(1_000)
    if (viewers.stats().viewers === 1) break
  }
  await until(() => client.closed !== undefined)
  t.equal(client.closed?.code, 4108)
  t.equal(client.frames.filter(frame => frame['n'] === 3).length, 0)
  t.match(viewers.stats(), { viewers: 1, closes: { 'too-slow': 1 } })
  t.notOk(inputs.some(input => input.kind === 'viewer-drained'))
})

t.test('what was confirmed is held no more, whatever the kernel has taken', async t => {
  const { open, perform, viewers, inputs } = await rig(t, { limits: { budgetBytes } })
  const { client, viewer } = await open('good', { autoPong: false })
  perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  for (let mark = 1; mark <= 3; mark++) {
    perform({ kind: 'cohort-send', cohort, frame: filler(9_000), mark })
    await turns()
  }
  await until(() => client.frames.length === 2)
  t.equal(viewers.stats().lagging, 1)
  client.answer()
  await until(() => inputs.some(input => input.kind === 'viewer-drained'))
  t.same(inputs.at(-1), { kind: 'viewer-drained', viewer, cohorts: [{ cohort, mark: 2 }] })
  t.equal(viewers.stats().lagging, 0)
})

t.test(
  'pongs that answer no ping of ours count as frames, those that do count as none',
  async t => {
    const limits = { framesPerSecondMax: 1, framesBurst: 5 }
    const { open, perform, viewers } = await rig(t, { limits })
    const { client, viewer } = await open()
    for (let sent = 1; sent <= 20; sent++) {
      perform({ kind: 'viewer-send', viewer, frame: filler(20_000) })
      await until(() => client.pings.length >= sent)
      await turns(3)
    }
    t.ok(viewers.stats().probes >= 20)
    t.ok(client.isOpen)
    const forged = [
      Buffer.alloc(0),
      Buffer.alloc(8),
      Buffer.alloc(125),
      client.pings[0],
      client.pings[1],
    ]
    for (const payload of forged) client.ws.pong(payload)
    await turns()
    t.ok(client.isOpen)
    client.ws.pong()
    await until(() => client.closed !== undefined)
    t.equal(client.closed?.code, 4129)
  },
)

t.test('payloads of pings are not to be guessed', async t => {
  const { open, perform } = await rig(t)
  const { client, viewer } = await open()
  for (let sent = 1; sent <= 8; sent++) {
    perform({ kind: 'viewer-send', viewer, frame: filler(20_000) })
    await until(() => client.pings.length >= sent)
  }
  const numbers = client.pings.map(payload => payload.readUInt32BE(4))
  t.equal(new Set(numbers).size, client.pings.length)
  t.ok(client.pings.every(payload => payload.length === 8))
})

t.test('a healthy viewer that gets 2 kB/s is sent a ping every few seconds', async t => {
  const { open, perform, viewers, clock } = await rig(t)
  const all = [await open(), await open(), await open(), await open(), await open()]
  for (const { viewer } of all) perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  const seconds = 60
  for (let mark = 1; mark <= seconds * 10; mark++) {
    perform({ kind: 'cohort-send', cohort, frame: filler(185), mark })
    await until(() => all.every(({ client }) => client.frames.length === mark))
    clock.advance(100)
  }
  const perViewer = viewers.stats().probes / all.length
  t.ok(perViewer <= seconds / 4, `${perViewer} pings in ${seconds} s`)
  t.ok(perViewer >= seconds / 10)
  t.equal(viewers.stats().lags, 0)
})

t.test('a long message comes whole, and can be confirmed in part', async t => {
  const { open, perform, viewers } = await rig(t)
  const { client, viewer } = await open('good', { autoPong: false })
  const lengths = [49_000, 49_138, 49_139, 98_290, 300_000]
  for (const length of lengths) perform({ kind: 'viewer-send', viewer, frame: filler(length) })
  await until(() => client.frames.length === lengths.length)
  t.same(
    client.frames.map(frame => String(frame['filler']).length),
    lengths,
  )
  t.ok(client.pings.length >= 11, `${client.pings.length} pings`)
  t.ok(viewers.stats().bytesOut > 545_000)
})

t.test('requests of a viewer that holds too much wait for it to drain, in order', async t => {
  const { open, perform, inputs } = await rig(t, { limits: { budgetBytes, framesBurst: 1_000 } })
  const { client, viewer } = await open('good', { autoPong: false })
  const requested = () =>
    inputs.flatMap(input =>
      input.kind === 'viewer-requested' && 'from' in input.request ? [input.request.from] : [],
    )
  perform({ kind: 'viewer-send', viewer, frame: filler(20_000) })
  await until(() => client.frames.length === 1)
  for (let from = 0; from < 64; from++) client.send({ ...observe, from: String(from) })
  await client.isRead()
  t.same(requested(), [])
  for (let from = 64; from < 67; from++) client.send({ ...observe, from: String(from) })
  await client.isRead()
  t.same(requested(), ['0', '1', '2'], 'one more than may wait, and the first is served')
  client.answer()
  await until(() => requested().length === 67)
  t.same(
    requested(),
    Array.from({ length: 67 }, (_, from) => String(from)),
  )
})

t.test('while bytes wait in this process, reading stops when too many requests wait', async t => {
  const { open, perform, inputs } = await rig(t, { limits: { framesBurst: 10_000 } })
  const { client, viewer } = await open()
  client.ws.pause()
  for (let sent = 0; sent < 40; sent++) {
    perform({ kind: 'viewer-send', viewer, frame: filler(500_000) })
  }
  const requests = 500
  const long = 'x'.repeat(2_000)
  for (let sent = 0; sent < requests; sent++) client.send({ ...observe, viewState: long })
  await turns(50)
  const requested = () => inputs.filter(input => input.kind === 'viewer-requested').length
  t.equal(requested(), 0)
  client.ws.resume()
  await until(() => requested() === requests)
  t.equal(client.frames.length, 40)
})
