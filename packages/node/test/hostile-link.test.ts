/* What a node of the fleet that was taken over can do to its parent, and to its child. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  encodeLinkFrame,
  type LinkFrame,
  type LinkId,
  parseDocumentKey,
  partTags,
} from '@fanfold/protocol'
import { UpgradeRouter } from '@fanfold/websocket'
import t, { type Test } from 'tap'
import { dialled, type EvilLinks, evil, join, linkOptions, member } from './hostile-links.ts'
import { startVictim, tokenFor, until, type Victim } from './hostile-rig.ts'
import { openRaw, openWebSocket } from './hostile-socket.ts'

const doc = parseDocumentKey('acme/board/linked')

const hash = new Uint8Array(32).fill(7)
const at = { epoch: 9, seq: 9, hash }
const channel = 1

const authority = await startVictim(t, {
  roles: ['authority'],
  ...linkOptions(await member('authority-1', ['authority'], 255)),
  'limits.documentsMax': 200,
})
const childLike = await member('edge-1', ['edge'])
const writeToken = await tokenFor({ subject: 'canary-of-a-subject' })
const writer = await openWebSocket(authority.port, '/v1/write', writeToken)
let written = 0

async function write(): Promise<void> {
  const id = `w${written++}`
  writer.send({ type: 'send', doc, message: 'keep', value: id, id })
  await writer.frame(frame => frame['id'] === id && frame['type'] === 'committed', 'a commit')
}

await write()

t.test('a child that plays the parent is cut off, and nothing of it stays', async t => {
  const manifest = { at, pieces: [{ tag: 0, bytes: 5, digest: hash }] }
  const frames: LinkFrame[] = [
    { kind: 'records', channel, records: [] },
    { kind: 'welcome', doc, channel, mode: 'snapshot', head: at, ceiling: 239 },
    { kind: 'snapshot-begin', channel, manifest },
    { kind: 'snapshot-piece', channel, index: 0, codec: 0, piece: new Uint8Array(5) },
    { kind: 'ended', channel, code: 'FANFOLD_DELETED', message: 'gone' },
    { kind: 'refused', doc, code: 'FANFOLD_DELETED', message: 'gone', retryAfterMs: 0 },
    { kind: 'status', channel, stale: true, ageMs: 0xffff_ffff },
    { kind: 'hello', versionMin: 1, versionMax: 1, incarnation: '', token: '', nonce: hash },
  ]
  for (const frame of frames) {
    const { evil, link } = await dialled(authority, childLike)
    evil.send(link, join(doc), frame)
    await until(() => evil.inputs.some(({ kind }) => kind === 'link-closed'), frame.kind)
    t.match(evil.inputs.at(-1), { kind: 'link-closed', reason: /^bad-frame/ }, frame.kind)
  }
  await write()
})

t.test('a child gets the parts of its ceiling, whatever it asks for', async t => {
  const { evil, link } = await dialled(authority, childLike)
  const position = { epoch: 1, seq: 1, hash }
  evil.send(link, join(doc), join(doc, position), join(doc, at), join(doc))
  evil.send(link, { kind: 'request-pieces', channel, indexes: [0, 1, 2, 3, 0xffff_ffff] })
  await until(() => evil.frames().some(({ kind }) => kind === 'snapshot-piece'), 'a snapshot')
  await write()
  await until(() => evil.frames().some(({ kind }) => kind === 'records'), 'a record')
  for (const frame of evil.frames()) {
    if (frame.kind === 'snapshot-begin') {
      for (const { tag } of frame.manifest.pieces) t.equal(tag, partTags.public)
    }
    if (frame.kind === 'records') {
      for (const record of frame.records) t.equal(record.payload(partTags.authority), undefined)
    }
  }
  const bytes = evil.inputs.flatMap(input =>
    input.kind === 'link-frame' ? [Buffer.from(input.frame)] : [],
  )
  t.notMatch(Buffer.concat(bytes).toString('latin1'), /canary-of-a-subject/)
})

t.test('joins of ever more documents end at a limit, and others are served', async t => {
  const { evil, link } = await dialled(authority, childLike)
  const before = process.memoryUsage.rss()
  for (let index = 0; index < 20_000; index++) {
    evil.send(link, join(parseDocumentKey(`acme/board/none-${index}`)))
  }
  await until(() => evil.frames().length >= 20_000, 'answers', 15_000)
  t.ok(process.memoryUsage.rss() - before < 200_000_000, 'memory is bounded')
  await write()
  const topology = await fetch(`http://127.0.0.1:${authority.adminPort}/admin/topology`)
  const { documents } = Reflect.get(Object(await topology.json()), 'authority')
  t.ok(documents <= 200, `${documents} documents`)
})

t.test('a child that asks for pieces over and over is given no more than it can take', async t => {
  const large = parseDocumentKey('acme/board/large')
  const value = Array.from({ length: 10 }, () => 'x'.repeat(40_000))
  writer.send({ type: 'send', doc: large, message: 'keep', value, id: 'large' })
  await writer.frame(({ id }) => id === 'large', 'a commit')
  const { evil, link } = await dialled(authority, childLike)
  const before = process.memoryUsage.rss()
  for (let round = 0; round < 300; round++) evil.send(link, join(large))
  await until(() => evil.frames().length > 0, 'an answer')
  const indexes = Array.from({ length: 64 }, (_, index) => index % 8)
  for (let round = 0; round < 20; round++) {
    evil.send(link, { kind: 'request-pieces', channel: 0xffff_ffff, indexes })
    for (let of = 1; of < 100; of++)
      evil.send(link, { kind: 'request-pieces', channel: of, indexes })
  }
  await write()
  t.ok(process.memoryUsage.rss() - before < 200_000_000, 'memory is bounded')
})

t.test('whoever shows nobody is cut off, and may say little', async t => {
  const upgrade = [
    'GET /v1/link HTTP/1.1',
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol: fanfold.link.v1',
  ].join('\r\n')
  const frame = (bytes: Uint8Array): Buffer =>
    Buffer.concat([
      Buffer.from([0x82, 0xfe, bytes.length >> 8, bytes.length & 255]),
      Buffer.alloc(4),
      bytes,
    ])
  const hello = (token: string): Uint8Array =>
    encodeLinkFrame({
      kind: 'hello',
      versionMin: 1,
      versionMax: 1,
      incarnation: 'x',
      token,
      nonce: hash,
    })
  const openings: [name: string, bytes: Buffer][] = [
    ['garbage', frame(Buffer.alloc(300, 0xff))],
    ['a join', frame(encodeLinkFrame(join(doc)).slice())],
    ['a token of nobody', frame(hello('e30.e30.e30'))],
    ["a viewer's token", frame(hello(writeToken))],
    ['many frames', Buffer.concat(Array.from({ length: 100 }, () => frame(hello('x'))))],
    ['a large frame', frame(Buffer.alloc(60_000, 1))],
  ]
  for (const [name, bytes] of openings) {
    const raw = await openRaw(authority.port)
    raw.send(`${upgrade}\r\n\r\n`)
    raw.send(bytes)
    await until(() => raw.isClosed, name)
    t.notMatch(raw.received(), /node_modules|canary/, name)
    raw.socket.destroy()
  }
  await write()
})

/** A parent in an attacker's hands, and an edge that was told to dial it. */
async function besideEvilParent(
  test: Test,
  roles: readonly string[],
): Promise<{ evil: EvilLinks; edge: Victim }> {
  const attacker = await evil(await member('proxy-1', roles, 255))
  const router = new UpgradeRouter({ origins: ['*'], connectionsMax: 10 })
  router.add('', { link: attacker.sockets })
  const server = createServer()
  router.attach(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  test.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const edge = await startVictim(test, {
    roles: ['edge'],
    parents: [`ws://127.0.0.1:${port}`],
    ...linkOptions(await member('edge-2', ['edge'])),
  })
  return { evil: attacker, edge }
}

t.test('a node that may only be an edge is nobody’s parent', async t => {
  const { evil, edge } = await besideEvilParent(t, ['edge'])
  await until(() => evil.inputs.some(({ kind }) => kind === 'link-closed'), 'the edge to hang up')
  const ready = await fetch(`http://127.0.0.1:${edge.adminPort}/readyz`)
  t.match(await ready.json(), { ready: false, reasons: [/edge has no parent/] })
})

t.test('a parent that lies harms nobody but those who ask for its documents', async t => {
  const { evil, edge } = await besideEvilParent(t, ['proxy'])
  await until(() => evil.inputs.some(({ kind }) => kind === 'link-opened'), 'the link')
  const link = 1 as LinkId
  const viewer = await openWebSocket(edge.port, '/v1/observe', await tokenFor())
  viewer.send({ type: 'observe', doc })
  await until(() => evil.frames().some(({ kind }) => kind === 'join'), 'a join')
  const piece = new Uint8Array(65_536)
  const pieces = (bytes: number, count: number): LinkFrame => ({
    kind: 'snapshot-begin',
    channel,
    manifest: {
      at,
      pieces: Array.from({ length: count }, () => ({ tag: 0, bytes, digest: hash })),
    },
  })
  const welcome: LinkFrame = {
    kind: 'welcome',
    doc,
    channel,
    mode: 'snapshot',
    head: at,
    ceiling: 239,
  }
  const before = process.memoryUsage.rss()
  evil.send(link, welcome, pieces(65_536, 16_384))
  for (let round = 0; round < 20; round++) evil.send(link, welcome, pieces(8_192, 16_384))
  for (let index = 0; index < 200; index++) {
    evil.send(link, { kind: 'snapshot-piece', channel, index, codec: 0, piece })
    evil.send(link, { kind: 'snapshot-piece', channel: index, index: 0xffff_ffff, codec: 0, piece })
  }
  evil.send(link, { kind: 'status', channel, stale: true, ageMs: 0xffff_ffff })
  evil.send(link, {
    ...welcome,
    mode: 'tail',
    head: { epoch: 0xffff_ffff, seq: 2 ** 48 - 1, hash },
  })
  evil.send(link, {
    kind: 'refused',
    doc,
    code: 'FANFOLD_NO_PARENT',
    message: 'x'.repeat(5_000),
    retryAfterMs: 0xffff_ffff,
  })
  evil.send(link, { kind: 'ended', channel, code: 'FANFOLD_OVERLOADED', message: '"}]' })
  await until(() => viewer.frames().some(({ type }) => type === 'refused'), 'the viewer to be told')
  for (const frame of viewer.frames()) t.ok(JSON.stringify(frame).length < 1_000, 'in short')
  t.ok(process.memoryUsage.rss() - before < 300_000_000, 'memory is bounded')
  t.equal(viewer.closeCode(), undefined)
})
