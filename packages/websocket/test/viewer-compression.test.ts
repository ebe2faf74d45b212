/* Viewers that have agreed on permessage-deflate, and others, on real sockets. */
import { encodeUtf8 } from '@fanfold/kernel'
import type { CohortId, TransferId, ViewerEffect, ViewerId } from '@fanfold/protocol'
import t from 'tap'
import { type TestClient, until } from './client-rig.ts'
import { observe, rig } from './viewer-rig.ts'

const cohort = 1 as CohortId
const mayCompress = true
/** Shrinks to a small part of it. */
const long = (n: number, bytes = 2_000): Uint8Array =>
  encodeUtf8(JSON.stringify({ n, text: 'and so on, '.repeat(bytes / 11) }))

const enter = (viewer: ViewerId): ViewerEffect => ({
  kind: 'cohort-enter',
  cohort,
  viewer,
  mark: 0,
})
const numbers = ({ frames }: TestClient) => frames.map(frame => frame['n'])

t.test('a frame goes compressed to who takes it so, and as it is to the others', async t => {
  const { open, perform, viewers } = await rig(t, { isCompressing: true })
  const plain = await open()
  const packed: (typeof plain)[] = []
  for (let at = 0; at < 4; at++) packed.push(await open('good', { compression: {} }))
  const all = [plain, ...packed]
  t.equal(packed[0]?.client.ws.extensions, 'permessage-deflate')
  t.equal(plain.client.ws.extensions, '')
  const alone = long(4, 60_000)
  perform(
    ...all.map(({ viewer }) => enter(viewer)),
    { kind: 'cohort-send', cohort, frame: long(1), mark: 1, mayCompress },
    { kind: 'cohort-send', cohort, frame: long(2), mark: 2 },
    { kind: 'cohort-send', cohort, frame: long(3), mark: 3, mayCompress },
    ...all.map(
      ({ viewer }): ViewerEffect => ({
        kind: 'viewer-send',
        viewer,
        frame: alone,
        mayCompress,
      }),
    ),
    { kind: 'cohort-send', cohort, frame: long(5), mark: 5, mayCompress },
  )
  await until(() => all.every(({ client }) => client.frames.length === 5))
  for (const { client } of all) t.same(numbers(client), [1, 2, 3, 4, 5])
  const { bytesOut, deflate } = viewers.stats()
  // One has all of it as it is, four have what may not be compressed, and little else.
  t.ok(bytesOut < 68_100 + 4 * (2_000 + 1_500), `${bytesOut} bytes`)
  t.equal(
    deflate.plainBytes,
    [1, 3, 5].map(n => long(n).length).reduce((a, b) => a + b) + alone.length,
  )
})

t.test('what goes in pieces is compressed as well, and confirmed as it is taken', async t => {
  const budgetBytes = 4_096
  const { open, perform, inputs, viewers } = await rig(t, {
    isCompressing: true,
    limits: { budgetBytes },
  })
  const { client, viewer } = await open('good', { compression: {} })
  const frames = Array.from({ length: 20 }, (_, n) => long(n, 60_000))
  const transfer = 7 as TransferId
  perform({ kind: 'viewer-transfer', viewer, transfer, frames, mayCompress })
  await until(() => inputs.some(({ kind }) => kind === 'viewer-transferred'))
  await until(() => client.frames.length === 20)
  t.same(
    numbers(client),
    frames.map((_, n) => n),
  )
  t.ok(viewers.stats().bytesOut < 60_000)
})

t.test('what a viewer says may be compressed, and what inflates it is let go', async t => {
  const { open, inputs, viewers } = await rig(t, { isCompressing: true })
  const { client } = await open('good', { compression: { threshold: 0 } })
  const said = Array.from({ length: 5 }, (_, n) => ({
    ...observe,
    viewState: { n, at: 'x'.repeat(900) },
  }))
  for (const frame of said) client.send(frame)
  const requests = () => inputs.filter(({ kind }) => kind === 'viewer-requested')
  await until(() => requests().length === 5)
  t.match(
    requests(),
    said.map(request => ({ request })),
  )
  t.equal(viewers.stats().framesIn, 5)
})

t.test('a message that inflates to more than it may be closes the connection', async t => {
  const { open } = await rig(t, { isCompressing: true })
  const { client } = await open('good', { compression: { threshold: 0 } })
  client.send({ ...observe, viewState: 'x'.repeat(1_000_000) })
  await until(() => client.closed !== undefined)
  t.equal(client.closed?.code, 1009)
})

t.test(
  'who asks for a smaller window, or where nothing is offered, is sent all as it is',
  async t => {
    const { open } = await rig(t, { isCompressing: true })
    const small = await open('good', { compression: { serverMaxWindowBits: 10 } })
    t.equal(small.client.ws.extensions, '')
    const other = await rig(t)
    const { client } = await other.open('good', { compression: {} })
    t.equal(client.ws.extensions, '')
  },
)
