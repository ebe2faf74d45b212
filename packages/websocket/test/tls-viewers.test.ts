/* Viewers over TLS: the same order, and the same care of those who are slow. */
import { connect, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { TestAuthority } from '@fanfold/conformance'
import type { CohortId } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { handleUnder, kernelBacklogBytes } from '../src/ws-internals.ts'
import { turns, until } from './client-rig.ts'
import { StuckWay } from './http-server.ts'
import { observe, type Rig, rig, text } from './viewer-rig.ts'

const cohort = 1 as CohortId
const otherCohort = 2 as CohortId
const authority = new TestAuthority('authority of tests')
const served = authority.issue({ hosts: ['127.0.0.1'] })
const filler = (length: number) => text({ filler: 'x'.repeat(length) })

const tlsRig = (t: Test, overrides: Parameters<typeof rig>[1] = {}): Promise<Rig> =>
  rig(t, { ...overrides, tls: { served, authority: authority.certificate } })

await t.test(
  'what is sent to a cohort and to one viewer arrives in the order of the effects',
  async t => {
    const { open, perform } = await tlsRig(t)
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

await t.test(
  'frames of every length, of cohorts and of a viewer, come whole and in order',
  async t => {
    const { open, perform } = await tlsRig(t)
    const { client, viewer } = await open()
    perform(
      { kind: 'cohort-enter', cohort, viewer, mark: 0 },
      { kind: 'cohort-enter', cohort: otherCohort, viewer, mark: 0 },
    )
    const lengths = [0, 100, 118, 16_380, 65_520, 65_536, 70_000, 300_000]
    for (const [index, length] of lengths.entries()) {
      const frame = text({ index, s: 'é'.repeat(length / 2) })
      if (index % 3 === 0) perform({ kind: 'viewer-send', viewer, frame })
      else if (index % 3 === 1) perform({ kind: 'cohort-send', cohort, frame, mark: 0 })
      else perform({ kind: 'cohort-send', cohort: otherCohort, frame, mark: 0 })
      await until(() => client.frames.length === index + 1)
    }
    t.same(
      client.frames.map(frame => String(frame['s']).length * 2),
      lengths,
    )
  },
)

await t.test('a viewer that does not read lags, delays nobody, and is led on later', async t => {
  const { open, perform, viewers, inputs } = await tlsRig(t)
  const slow = await open()
  const quick = await open()
  perform(
    { kind: 'cohort-enter', cohort, viewer: slow.viewer, mark: 0 },
    { kind: 'cohort-enter', cohort, viewer: quick.viewer, mark: 0 },
  )
  slow.client.ws.pause()
  let sent = 0
  const frame = filler(65_500)
  while (viewers.stats().lagging === 0 && sent < 1_000) {
    sent++
    perform({ kind: 'cohort-send', cohort, frame, mark: sent })
    await until(() => quick.client.frames.length === sent)
  }
  t.equal(viewers.stats().lagging, 1)
  t.ok(sent <= 8, `it lags after ${sent} frames of 64 KiB, and holds its budget at most`)
  slow.client.send(observe)
  await turns()
  t.notOk(
    inputs.some(input => input.kind === 'viewer-requested'),
    'it cannot ask for more',
  )
  slow.client.ws.resume()
  await until(() => inputs.some(input => input.kind === 'viewer-drained'))
  await until(() => inputs.some(input => input.kind === 'viewer-requested'))
  t.equal(viewers.stats().lagging, 0)
  perform(
    { kind: 'cohort-enter', cohort, viewer: slow.viewer, mark: 0 },
    { kind: 'cohort-send', cohort, frame: text({ last: true }), mark: 0 },
  )
  await until(() => slow.client.frames.at(-1)?.['last'] === true)
})

await t.test(
  'a viewer that takes nothing is closed as too slow, whoever else is served',
  async t => {
    const { open, perform, viewers, clock } = await tlsRig(t)
    const stuck = await open()
    const quick = await open()
    stuck.client.ws.pause()
    for (let sent = 1; sent <= 20; sent++) {
      perform({ kind: 'viewer-send', viewer: stuck.viewer, frame: filler(500_000) })
      perform({ kind: 'viewer-send', viewer: quick.viewer, frame: text({ sent }) })
      await until(() => quick.client.frames.length === sent)
    }
    for (let second = 0; second < 35 && viewers.stats().viewers === 2; second++) {
      quick.client.send(observe)
      await quick.client.isRead()
      clock.advance(1_000)
    }
    t.match(viewers.stats(), { viewers: 1, closes: { 'too-slow': 1 } })
  },
)

await t.test(
  'probes are answered between the frames, and what was confirmed is held no more',
  async t => {
    const { open, perform, viewers, inputs } = await tlsRig(t, { limits: { budgetBytes: 16_384 } })
    const { client, viewer } = await open('good', { autoPong: false })
    perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
    for (let mark = 1; mark <= 3; mark++) {
      perform({ kind: 'cohort-send', cohort, frame: filler(9_000), mark })
      await turns()
    }
    await until(() => client.frames.length === 2 && client.pings.length > 0)
    t.equal(viewers.stats().lagging, 1)
    client.answer()
    await until(() => inputs.some(input => input.kind === 'viewer-drained'))
    t.same(inputs.at(-1), { kind: 'viewer-drained', viewer, cohorts: [{ cohort, mark: 2 }] })
    t.equal(viewers.stats().lagging, 0)
  },
)

/** Both ends of a connection over TLS, by a way that can be stuck. */
async function connected(
  t: Test,
): Promise<{ readonly near: TLSSocket; readonly far: TLSSocket; readonly way: StuckWay }> {
  const server = createTlsServer({ cert: served.certificate, key: served.privateKey })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const way = await StuckWay.open(t, typeof address === 'object' ? (address?.port ?? 0) : 0)
  const accepted = new Promise<TLSSocket>(resolve => server.once('secureConnection', resolve))
  const far = connect({ port: way.port, host: '127.0.0.1', ca: authority.certificate })
  const near = await accepted
  for (const socket of [near, far]) {
    socket.on('error', () => undefined)
    t.teardown(() => socket.destroy())
  }
  return { near, far, way }
}

await t.test(
  'what the kernel has not taken is told below TLS, and falls while it is taken',
  async t => {
    const { near, far, way } = await connected(t)
    t.equal(handleUnder(near), undefined, 'nothing is written beside the encryption')
    t.equal(kernelBacklogBytes(near), 0)
    way.stall()
    const muchBytes = 32 * 1_048_576
    near.write(Buffer.alloc(muchBytes, 'x'))
    await turns()
    const first = kernelBacklogBytes(near)
    t.ok(first !== undefined && first > 0, `${first} bytes are not taken`)
    t.equal(near.writableLength, muchBytes, 'and the stream knows of no progress')
    await turns()
    t.equal(kernelBacklogBytes(near), first, 'while nothing is taken')
    let bytes = 0
    far.on('data', chunk => {
      bytes += chunk.length
    })
    way.unstall()
    const seen = new Set<number | undefined>()
    await until(() => {
      seen.add(kernelBacklogBytes(near))
      return bytes === muchBytes
    })
    t.ok(seen.size > 4, `it was seen to fall: ${seen.size} values`)
    t.equal(kernelBacklogBytes(near), 0)
  },
)
