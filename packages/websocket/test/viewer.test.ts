import type { CohortId, ViewerEffect, ViewerId } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { type TestClient, turns, until } from './client-rig.ts'
import { type Rig, rig, text } from './viewer-rig.ts'

const cohort = 1 as CohortId
const other = 2 as CohortId
const filler = text({ filler: 'x'.repeat(9_000) })

/** A viewer that stands at 12 in `cohort` and lags, until it answers. */
async function lagging(
  t: Test,
): Promise<Rig & { readonly client: TestClient; readonly viewer: ViewerId }> {
  const one = await rig(t, { limits: { budgetBytes: 16_384 } })
  const { client, viewer } = await one.open('good', { autoPong: false })
  one.perform({ kind: 'cohort-enter', cohort, viewer, mark: 10 })
  for (let mark = 11; mark <= 13; mark++) {
    one.perform({ kind: 'cohort-send', cohort, frame: filler, mark })
    await turns(5)
  }
  await until(() => client.frames.length === 2)
  t.equal(one.viewers.stats().lagging, 1)
  return { ...one, client, viewer }
}

const drained = ({ inputs }: Rig) =>
  inputs.flatMap(input => (input.kind === 'viewer-drained' ? [input.cohorts] : []))
const moveTo = (
  viewer: ViewerId,
  from: CohortId,
  to: CohortId,
): Extract<ViewerEffect, { kind: 'cohort-move' }> => ({
  kind: 'cohort-move',
  viewer,
  from,
  to,
  frame: text({ moved: true }),
  mark: 20,
})
const signal = (to: CohortId, key: string, n: number): ViewerEffect => ({
  kind: 'cohort-signal',
  cohort: to,
  key,
  frame: text({ key, n }),
})

t.test('a viewer that entered and took nothing stands where it entered', async t => {
  const one = await rig(t, { limits: { budgetBytes: 16_384 } })
  const { client, viewer } = await one.open('good', { autoPong: false })
  one.perform(
    { kind: 'viewer-send', viewer, frame: text({ filler: 'x'.repeat(20_000) }) },
    { kind: 'cohort-enter', cohort, viewer, mark: 7 },
    { kind: 'cohort-send', cohort, frame: filler, mark: 8 },
  )
  await until(() => client.frames.length === 1)
  client.answer()
  await until(() => drained(one).length === 1)
  t.same(drained(one), [[{ cohort, mark: 7 }]])
})

t.test('a viewer that is moved and then lags stands at the mark of the move', async t => {
  const one = await rig(t, { limits: { budgetBytes: 16_384 } })
  const { client, viewer } = await one.open('good', { autoPong: false })
  one.perform(
    { kind: 'cohort-enter', cohort, viewer, mark: 7 },
    { ...moveTo(viewer, cohort, other), frame: text({ filler: 'x'.repeat(20_000) }) },
    { kind: 'cohort-send', cohort: other, frame: filler, mark: 21 },
  )
  await until(() => client.frames.length === 1)
  client.answer()
  await until(() => drained(one).length === 1)
  t.same(drained(one), [[{ cohort: other, mark: 20 }]])
})

t.test(
  'one that lags keeps its mark when it is moved to where it is, and loses it elsewhere',
  async t => {
    const one = await lagging(t)
    one.perform(moveTo(one.viewer, cohort, cohort))
    one.client.answer()
    await until(() => drained(one).length === 1)
    one.perform(moveTo(one.viewer, cohort, cohort))
    await until(() => drained(one).length === 2)
    one.perform(moveTo(one.viewer, cohort, other))
    await until(() => drained(one).length === 3)
    t.same(drained(one), [
      [{ cohort, mark: 12 }],
      [{ cohort, mark: 12 }],
      [{ cohort: other, mark: undefined }],
    ])
    t.notOk(one.client.frames.some(frame => frame['moved'] === true))
  },
)

t.test('one that has left the cohort by the edge is not reported as drained there', async t => {
  const one = await lagging(t)
  one.perform(
    signal(cohort, 'a', 1),
    { kind: 'cohort-exit', cohort, viewer: one.viewer },
    { kind: 'cohort-send', cohort, frame: filler, mark: 14 },
  )
  one.client.answer()
  await one.client.isRead()
  t.same(drained(one), [])
  t.equal(one.viewers.stats().lagging, 0)
  t.equal(one.client.frames.length, 2, 'nor does it get a signal of it')
})

t.test(
  'who lags gets the latest of each key once it is back, others at once and in order',
  async t => {
    const one = await lagging(t)
    const { client, viewer, perform } = one
    const quick = await one.open()
    perform(
      { kind: 'cohort-enter', cohort, viewer: quick.viewer, mark: 13 },
      signal(cohort, 'a', 1),
      { kind: 'cohort-send', cohort, frame: text({ delta: 14 }), mark: 14 },
      signal(cohort, 'b', 2),
      signal(cohort, 'a', 3),
      { kind: 'viewer-signal', viewer, key: 'c', frame: text({ key: 'c', n: 4 }) },
    )
    await until(() => quick.client.frames.length === 4)
    t.match(quick.client.frames, [{ n: 1 }, { delta: 14 }, { n: 2 }, { n: 3 }])
    client.answer()
    await until(() => drained(one).length === 1)
    t.equal(client.frames.length, 2, 'not before it is up to date')
    perform(
      { kind: 'viewer-send', viewer, frame: text({ caughtUp: 14 }) },
      { kind: 'cohort-enter', cohort, viewer, mark: 14 },
    )
    await until(() => client.frames.length === 6)
    t.same(client.frames.slice(2), [
      { caughtUp: 14 },
      { key: 'b', n: 2 },
      { key: 'a', n: 3 },
      { key: 'c', n: 4 },
    ])
  },
)

t.test('a signal that is void does not reach a viewer any more', async t => {
  const { client, viewer, perform } = await lagging(t)
  perform(
    { kind: 'viewer-signal', viewer, key: 'a', frame: text({ key: 'a' }) },
    { kind: 'viewer-signal', viewer, key: 'b', frame: text({ key: 'b' }) },
    { kind: 'cohort-exit', cohort, viewer },
    { kind: 'signal-end', viewer, key: 'a' },
    { kind: 'viewer-send', viewer, frame: text({ left: true }) },
  )
  client.answer()
  await until(() => client.frames.length === 4)
  await client.isRead()
  t.same(client.frames.slice(2), [{ left: true }, { key: 'b' }])
})

t.test('a signal is never the reason why somebody lags', async t => {
  const { open, perform, viewers } = await rig(t, { limits: { budgetBytes: 16_384 } })
  const { client, viewer } = await open('good', { autoPong: false })
  perform(
    { kind: 'cohort-enter', cohort, viewer, mark: 0 },
    { kind: 'viewer-send', viewer, frame: text({ filler: 'x'.repeat(20_000) }) },
  )
  await until(() => client.frames.length === 1)
  for (let n = 1; n <= 200; n++) {
    perform(signal(cohort, `key ${n % 100}`, n), {
      kind: 'viewer-signal',
      viewer,
      key: 'alone',
      frame: text({ n }),
    })
    await turns(1)
  }
  t.match(viewers.stats(), { lags: 0, cohorts: 1 })
  t.ok(viewers.stats().signalsDropped > 0, 'more than wait for one viewer')
  client.answer()
  await until(() => client.frames.length === 1 + 64)
  await client.isRead()
  t.equal(client.frames.at(-1)?.['n'], 200)
  t.equal(client.frames.length, 65)
  const { signalsDropped } = viewers.stats()
  client.ws.terminate()
  await until(() => viewers.stats().viewers === 0)
  t.match(viewers.stats(), { signalsDropped }, 'also of one that is gone')
})

t.test('signals that waited go along to where the viewer is moved', async t => {
  const one = await lagging(t)
  const { client, viewer, perform } = one
  perform(signal(cohort, 'a', 1), moveTo(viewer, cohort, other), signal(other, 'b', 2))
  client.answer()
  await until(() => drained(one).length === 1)
  perform(signal(other, 'b', 3), { kind: 'cohort-enter', cohort: other, viewer, mark: 20 })
  await until(() => client.frames.length === 4)
  t.same(
    client.frames
      .slice(2)
      .map(frame => frame['n'])
      .toSorted(),
    [1, 3],
  )
})
