import type { CohortId, TransferId } from '@fanfold/protocol'
import t from 'tap'
import { turns, until } from './client-rig.ts'
import { observe, rig, text } from './viewer-rig.ts'

const cohort = 1 as CohortId
const otherCohort = 2 as CohortId

t.test(
  'what is sent to a cohort and to one viewer arrives in the order of the effects',
  async t => {
    const { open, perform } = await rig(t)
    const one = await open()
    const two = await open()
    perform(
      { kind: 'cohort-enter', cohort, viewer: one.viewer, mark: 0 },
      { kind: 'cohort-send', cohort, frame: text({ n: 1 }), mark: 0 },
      { kind: 'cohort-enter', cohort, viewer: two.viewer, mark: 0 },
      { kind: 'cohort-send', cohort, frame: text({ n: 2 }), mark: 0 },
      { kind: 'viewer-send', viewer: one.viewer, frame: text({ n: 3 }) },
      { kind: 'cohort-send', cohort, frame: text({ n: 4 }), mark: 0 },
      { kind: 'cohort-exit', cohort, viewer: two.viewer },
      { kind: 'cohort-send', cohort, frame: text({ n: 5 }), mark: 0 },
      { kind: 'viewer-send', viewer: two.viewer, frame: text({ n: 6 }) },
    )
    await until(() => one.client.frames.length === 5 && two.client.frames.length === 3)
    t.same(one.client.frames, [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, { n: 5 }])
    t.same(two.client.frames, [{ n: 2 }, { n: 4 }, { n: 6 }])
  },
)

t.test('a viewer in two cohorts gets both, in order within each', async t => {
  const { open, perform, viewers } = await rig(t)
  const { client, viewer } = await open()
  perform(
    { kind: 'cohort-enter', cohort, viewer, mark: 0 },
    { kind: 'cohort-enter', cohort: otherCohort, viewer, mark: 0 },
  )
  t.equal(viewers.stats().cohorts, 2)
  for (let n = 0; n < 10; n++) {
    perform(
      { kind: 'cohort-send', cohort, frame: text({ a: n }), mark: 0 },
      { kind: 'cohort-send', cohort: otherCohort, frame: text({ b: n }), mark: 0 },
    )
  }
  await until(() => client.frames.length === 20)
  const numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
  t.same(
    client.frames.flatMap(frame => frame['a'] ?? []),
    numbers,
  )
  t.same(
    client.frames.flatMap(frame => frame['b'] ?? []),
    numbers,
  )
  t.equal(viewers.stats().framesOut, 20)
})

t.test('frames of every length arrive as they were', async t => {
  const { open, perform } = await rig(t)
  const { client, viewer } = await open()
  perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  const lengths = [0, 100, 110, 118, 130, 65_520, 65_530, 70_000]
  for (const length of lengths) {
    perform({ kind: 'cohort-send', cohort, frame: text({ s: 'é'.repeat(length / 2) }), mark: 0 })
  }
  await until(() => client.frames.length === lengths.length)
  t.same(
    client.frames.map(frame => String(frame['s']).length * 2),
    lengths,
  )
})

t.test('a viewer that does not read lags, holds its budget at most, and delays nobody', async t => {
  const { open, perform, viewers, inputs } = await rig(t)
  const slow = await open()
  const quick = await open()
  perform(
    { kind: 'cohort-enter', cohort, viewer: slow.viewer, mark: 0 },
    { kind: 'cohort-enter', cohort, viewer: quick.viewer, mark: 0 },
  )
  slow.client.ws.pause()
  let sent = 0
  const frame = text({ filler: 'x'.repeat(65_500) })
  while (viewers.stats().lagging === 0 && sent < 1_000) {
    sent++
    perform({ kind: 'cohort-send', cohort, frame, mark: sent })
    await until(() => quick.client.frames.length === sent)
  }
  t.equal(viewers.stats().lagging, 1)
  t.ok(sent < 1_000, 'it left the cohort')
  const { bytesOut } = viewers.stats()
  for (let more = 1; more <= 20; more++) {
    perform({ kind: 'cohort-send', cohort, frame, mark: sent + more })
    await until(() => quick.client.frames.length === sent + more)
  }
  const headBytes = 4
  t.equal(viewers.stats().bytesOut - bytesOut, 20 * (headBytes + frame.length), 'one got more')

  slow.client.send(observe)
  await turns()
  t.notOk(
    inputs.some(input => input.kind === 'viewer-requested'),
    'it cannot ask for more',
  )

  slow.client.ws.resume()
  await until(() => inputs.some(input => input.kind === 'viewer-drained'))
  t.match(
    inputs.find(input => input.kind === 'viewer-drained'),
    { viewer: slow.viewer, cohorts: [{ cohort, mark: sent - 1 }] },
  )
  await until(() => inputs.some(input => input.kind === 'viewer-requested'))
  t.equal(viewers.stats().lagging, 0)
  perform(
    { kind: 'cohort-enter', cohort, viewer: slow.viewer, mark: 0 },
    { kind: 'cohort-send', cohort, frame: text({ last: true }), mark: 0 },
  )
  await until(() => slow.client.frames.at(-1)?.['last'] === true)
  t.ok(slow.client.frames.length < sent + 2)
})

t.test('a viewer moves to another cohort with a frame of its own, in order', async t => {
  const { open, perform } = await rig(t)
  const { client, viewer } = await open()
  perform(
    { kind: 'cohort-enter', cohort, viewer, mark: 0 },
    { kind: 'cohort-send', cohort, frame: text({ n: 1 }), mark: 0 },
    { kind: 'cohort-move', viewer, from: cohort, to: otherCohort, frame: text({ n: 2 }), mark: 0 },
    { kind: 'cohort-send', cohort, frame: text({ n: 3 }), mark: 0 },
    { kind: 'cohort-send', cohort: otherCohort, frame: text({ n: 4 }), mark: 0 },
    { kind: 'cohort-move', viewer, from: otherCohort, to: cohort, frame: undefined, mark: 0 },
    { kind: 'cohort-send', cohort, frame: text({ n: 5 }), mark: 0 },
  )
  await until(() => client.frames.at(-1)?.['n'] === 5)
  t.same(client.frames, [{ n: 1 }, { n: 2 }, { n: 4 }, { n: 5 }])
})

t.test('a viewer that lags and is moved gets no frame, and drains in its new cohort', async t => {
  const { open, perform, viewers, inputs } = await rig(t)
  const { client, viewer } = await open()
  perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  client.ws.pause()
  const filler = text({ filler: 'x'.repeat(65_500) })
  for (let sent = 0; viewers.stats().lagging === 0 && sent < 1_000; sent++) {
    perform({ kind: 'cohort-send', cohort, frame: filler, mark: 0 })
    await turns()
  }
  t.equal(viewers.stats().lagging, 1)
  perform({
    kind: 'cohort-move',
    viewer,
    from: cohort,
    to: otherCohort,
    frame: text({ moved: true }),
    mark: 0,
  })
  const drained = () => inputs.filter(input => input.kind === 'viewer-drained')
  client.ws.resume()
  await until(() => drained().length > 0)
  t.same(drained(), [
    { kind: 'viewer-drained', viewer, cohorts: [{ cohort: otherCohort, mark: undefined }] },
  ])
  // The edge has not heard of it yet when it moves the viewer again: it hears of where it is now.
  perform({
    kind: 'cohort-move',
    viewer,
    from: otherCohort,
    to: cohort,
    frame: text({ moved: true }),
    mark: 0,
  })
  await until(() => drained().length > 1)
  t.match(drained()[1], { viewer, cohorts: [{ cohort, mark: undefined }] })
  perform(
    { kind: 'cohort-enter', cohort, viewer, mark: 0 },
    { kind: 'cohort-send', cohort, frame: text({ last: true }), mark: 0 },
  )
  await until(() => client.frames.at(-1)?.['last'] === true)
  t.notOk(client.frames.some(frame => frame['moved'] === true))
})

const transfer = 1 as TransferId
const piece = (n: number) => text({ n, filler: 'x'.repeat(70_000) })

t.test('a transfer goes as fast as it is taken, others between, and its end is said', async t => {
  const { open, perform, viewers, inputs } = await rig(t)
  const { client, viewer } = await open('good', { autoPong: false })
  const frames = Array.from({ length: 10 }, (_, n) => piece(n))
  perform(
    { kind: 'cohort-enter', cohort, viewer, mark: 0 },
    { kind: 'viewer-transfer', viewer, transfer, frames },
  )
  await until(() => client.frames.length === 2)
  await turns()
  t.equal(client.frames.length, 2, 'as much as leaves a quarter of the window')
  t.equal(viewers.stats().transfers, 1)
  perform({ kind: 'cohort-send', cohort, frame: text({ delta: 1 }), mark: 1 })
  await until(() => client.frames.length === 3)
  t.equal(client.frames[2]?.['delta'], 1)
  client.ws.on('ping', () => client.answer())
  client.answer()
  await until(() => client.frames.length === 11)
  t.same(
    client.frames.flatMap(frame => frame['n'] ?? []),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
  t.same(inputs.at(-1), { kind: 'viewer-transferred', viewer, transfer })
  t.match(viewers.stats(), { transfers: 0, lags: 0 })
})

t.test('a transfer that is ended sends no more and is not said to be through', async t => {
  const { open, perform, inputs } = await rig(t)
  const { client, viewer } = await open('good', { autoPong: false })
  perform({ kind: 'viewer-transfer', viewer, transfer, frames: Array(10).fill(piece(0)) })
  await until(() => client.frames.length === 2)
  perform({ kind: 'transfer-end', viewer, transfer })
  client.answer()
  await client.isRead()
  await turns()
  t.equal(client.frames.length, 2)
  t.notOk(inputs.some(input => input.kind === 'viewer-transferred'))
})

t.test('who lags drains and is reported before its transfer goes on', async t => {
  const { open, perform, inputs } = await rig(t)
  const { client, viewer } = await open('good', { autoPong: false })
  perform(
    { kind: 'cohort-enter', cohort, viewer, mark: 0 },
    { kind: 'viewer-send', viewer, frame: text({ filler: 'x'.repeat(300_000) }) },
    { kind: 'viewer-transfer', viewer, transfer, frames: [piece(0), piece(1)] },
    { kind: 'cohort-send', cohort, frame: text({ delta: 1 }), mark: 1 },
  )
  await until(() => client.frames.length === 1)
  await turns()
  t.equal(client.frames.length, 1)
  client.answer()
  await until(() => inputs.some(input => input.kind === 'viewer-transferred'))
  t.same(
    inputs.map(input => input.kind),
    ['viewer-opened', 'viewer-drained', 'viewer-transferred'],
  )
  await until(() => client.frames.length === 3)
})

t.test('a long piece waits for few bytes no longer than it takes to confirm them', async t => {
  const { open, perform, inputs } = await rig(t, { limits: { budgetBytes: 4_096 } })
  const { client, viewer } = await open()
  const frames = [text({ n: 0 }), piece(1), text({ n: 2 }), piece(3)]
  perform({ kind: 'viewer-transfer', viewer, transfer, frames })
  await until(() => inputs.some(input => input.kind === 'viewer-transferred'))
  await until(() => client.frames.length === 4)
  t.same(
    client.frames.map(frame => frame['n']),
    [0, 1, 2, 3],
  )
})

t.test('a close tells the viewer why, after what was sent to it before', async t => {
  const { open, perform, inputs } = await rig(t)
  const { client, viewer } = await open()
  perform(
    { kind: 'cohort-enter', cohort, viewer, mark: 0 },
    { kind: 'cohort-send', cohort, frame: text({ n: 1 }), mark: 0 },
    { kind: 'viewer-close', viewer, code: 'FANFOLD_FORBIDDEN', message: 'é'.repeat(200) },
    { kind: 'viewer-send', viewer, frame: text({ n: 2 }) },
    { kind: 'cohort-send', cohort, frame: text({ n: 3 }), mark: 0 },
  )
  t.notOk(
    inputs.some(input => input.kind === 'viewer-closed'),
    'not from inside the effect',
  )
  await until(() => client.closed !== undefined)
  t.match(client.frames, [{ n: 1 }, { type: 'refused', code: 'FANFOLD_FORBIDDEN' }])
  t.equal(client.frames.length, 2)
  t.match(client.closed, { code: 4503, reason: /^FANFOLD_FORBIDDEN: é+$/ })
  t.equal(inputs.filter(input => input.kind === 'viewer-closed').length, 1)
})

t.test('a node that drains closes with 1012 and says when to come back', async t => {
  const { open, viewers } = await rig(t)
  const { client } = await open()
  viewers.drain(2_500)
  await until(() => client.closed !== undefined)
  t.match(client.frames, [{ code: 'FANFOLD_DRAINING', retryAfter: 2_500 }])
  t.equal(client.closed?.code, 1012)
})

t.test('effects for viewers and cohorts that are gone do nothing', async t => {
  const { open, perform, inputs, viewers } = await rig(t)
  const { client, viewer } = await open()
  perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  client.ws.terminate()
  await until(() => inputs.at(-1)?.kind === 'viewer-closed')
  perform(
    { kind: 'viewer-send', viewer, frame: text({}) },
    { kind: 'cohort-enter', cohort, viewer, mark: 0 },
    { kind: 'cohort-exit', cohort, viewer },
    { kind: 'cohort-send', cohort, frame: text({}), mark: 0 },
    { kind: 'viewer-close', viewer, code: 'FANFOLD_MOVED', message: '' },
  )
  t.match(viewers.stats(), { viewers: 0, cohorts: 0, framesOut: 0 })
})

t.test('close is safe at every point and reports nothing afterwards', async t => {
  for (let point = 0; point < 20; point++) {
    const { viewers, connect, inputs, perform } = await rig(t)
    connect({ token: 'good' })
    connect({ token: 'bad' })
    await turns(point)
    const opened = inputs[0]
    if (opened !== undefined) {
      perform(
        { kind: 'cohort-enter', cohort, viewer: opened.viewer, mark: 0 },
        { kind: 'cohort-send', cohort, frame: text({ n: 1 }), mark: 0 },
      )
    }
    viewers.close()
    const count = inputs.length
    viewers.close()
    viewers.drain(1)
    await turns(5)
    t.equal(inputs.length, count)
    t.equal(viewers.stats().viewers, 0)
  }
})
