/* What those who catch up, and those who are caught up with, can do to a node. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync } from 'node:zlib'
import {
  type DocumentKey,
  decodeLinkFrame,
  encodeLinkFrame,
  type JoinMode,
  type LinkFrame,
  type LinkId,
  type LinkInput,
  parseDocumentKey,
} from '@fanfold/protocol'
import {
  LinkSockets,
  linkLimitsDefault,
  systemClock,
  TurnShare,
  UpgradeRouter,
} from '@fanfold/websocket'
import t, { type Test } from 'tap'
import { mintLinkToken } from '../src/index.ts'
import { createLinkAuthenticator, generateFleetKey, generateNodeKey } from '../src/link-identity.ts'
import { startVictim, tokenFor, until, type Victim } from './hostile-rig.ts'
import { openWebSocket } from './hostile-socket.ts'

t.setTimeout(400_000)

const fleet = generateFleetKey()
const doc = parseDocumentKey('acme/board/caught')
const hash = new Uint8Array(32).fill(7)
const channel = 1
const bomb = brotliCompressSync(Buffer.alloc(100_000_000))

type Member = { readonly token: string; readonly privateKey: string }

async function member(node: string, roles: readonly string[], ceiling = 0): Promise<Member> {
  const { publicKey: nodePublicKey, privateKey } = generateNodeKey()
  const claims = { node, region: 'test', roles, ceiling, ttlMs: 600_000 }
  const fleetPrivateKey = fleet.privateKey
  return { token: await mintLinkToken({ fleetPrivateKey, nodePublicKey, ...claims }), privateKey }
}

const linkOptions = ({ token, privateKey }: Member): Record<string, unknown> => ({
  'link.token': token,
  'link.privateKey': privateKey,
  'link.fleetPublicKeys': [fleet.publicKey],
})

/** Links in an attacker's hands. */
class Evil {
  readonly inputs: LinkInput[] = []
  readonly sockets: LinkSockets
  #links = 0

  private constructor(
    test: Test,
    authenticator: ConstructorParameters<typeof LinkSockets>[0]['authenticator'],
  ) {
    this.sockets = new LinkSockets({
      authenticator,
      nextLink: () => ++this.#links as LinkId,
      report: input => this.inputs.push(input),
      limits: { ...linkLimitsDefault, silenceMaxMs: 30_000, bufferedBytesCap: 1_000_000_000 },
      clock: systemClock,
      share: new TurnShare(systemClock),
    })
    test.teardown(() => this.sockets.close())
  }

  static async make(test: Test, identity: Member): Promise<Evil> {
    const fleetPublicKeys = [fleet.publicKey]
    const options = { ...identity, fleetPublicKeys, incarnation: 'evil' }
    return new Evil(test, await createLinkAuthenticator(options))
  }

  get frames(): readonly LinkFrame[] {
    return this.inputs.flatMap(input =>
      input.kind === 'link-frame' ? (decodeLinkFrame(input.frame) ?? []) : [],
    )
  }

  count(kind: LinkFrame['kind']): number {
    return this.frames.filter(frame => frame.kind === kind).length
  }

  get isClosed(): boolean {
    return this.inputs.some(({ kind }) => kind === 'link-closed')
  }

  send(...frames: readonly LinkFrame[]): void {
    const link = this.#links as LinkId
    for (const frame of frames) {
      this.sockets.perform({ kind: 'link-send', link, frame: encodeLinkFrame(frame) })
    }
  }

  async dial(victim: Victim): Promise<void> {
    this.sockets.dial(`ws://127.0.0.1:${victim.port}`)
    await until(() => this.inputs.some(({ kind }) => kind === 'link-opened'), 'the link')
  }

  /** The address at which it plays the parent. */
  async listen(test: Test): Promise<string> {
    const router = new UpgradeRouter({ origins: ['*'], connectionsMax: 10 })
    router.add('', { link: this.sockets })
    const server = createServer()
    router.attach(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    test.teardown(() => server.close())
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
}

/** An evil parent, a node of a role below it, and who waits for the document there. */
async function below(
  test: Test,
  role: 'proxy' | 'edge',
  options: Readonly<Record<string, unknown>> = {},
): Promise<{ evil: Evil; victim: Victim }> {
  const evil = await Evil.make(test, await member('proxy-1', ['proxy'], 255))
  const victim = await startVictim(test, {
    roles: [role],
    parents: [await evil.listen(test)],
    ...linkOptions(await member(`${role}-2`, [role])),
    ...options,
  })
  await until(() => evil.inputs.some(({ kind }) => kind === 'link-opened'), 'the link')
  return { evil, victim }
}

const head = (seq: number) => ({ epoch: 1, seq, hash })
const welcome = (seq: number, mode: JoinMode = 'snapshot'): LinkFrame => ({
  kind: 'welcome',
  doc,
  channel,
  mode,
  head: head(seq),
  ceiling: 0,
})
const digestOf = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest())
const begin = (seq: number, pieces: readonly Uint8Array[]): LinkFrame => ({
  kind: 'snapshot-begin',
  channel,
  manifest: {
    at: head(seq),
    pieces: pieces.map(piece => ({ tag: 0, bytes: piece.length, digest: digestOf(piece) })),
  },
})
const pieceOf = (index: number, piece: Uint8Array, codec = 0): LinkFrame => ({
  kind: 'snapshot-piece',
  channel,
  index,
  codec,
  piece,
})
const text = (json: string): Uint8Array => new Uint8Array(Buffer.from(json))

async function join(
  evil: Evil,
  victim: Victim,
): Promise<Awaited<ReturnType<typeof openWebSocket>>> {
  const viewer = await openWebSocket(victim.port, '/v1/observe', await tokenFor())
  viewer.send({ type: 'observe', doc })
  await until(() => evil.count('join') > 0, 'a join')
  return viewer
}

t.test(
  'pieces that are bombs, of no codec, or somebody else’s are asked for again, then no more',
  async t => {
    const { evil, victim } = await below(t, 'edge')
    const viewer = await join(evil, victim)
    const before = process.memoryUsage.rss()
    const piece = text('[["",{"n":1}]]')
    t.ok(bomb.length < 65_536)
    victim.stalledMs()
    for (const [codec, bytes] of [
      [2, new Uint8Array(bomb)],
      [1, new Uint8Array(bomb)],
      [0, text('[["",{"n":2}]]')],
    ] as const) {
      const joins = evil.count('join') + evil.count('request-replay')
      const asked = evil.count('request-pieces')
      evil.send(welcome(9), begin(9, [piece, piece]))
      evil.send(pieceOf(2 ** 31, bytes, codec), pieceOf(0, bytes, codec))
      await until(() => evil.count('request-pieces') > asked, 'the piece to be asked for again')
      evil.send(pieceOf(0, bytes, codec))
      await until(
        () => evil.count('join') + evil.count('request-replay') > joins,
        `codec ${codec}: a new beginning`,
      )
    }
    t.ok(victim.stalledMs() < 500, 'the loop went on')
    t.ok(process.memoryUsage.rss() - before < 200_000_000, 'memory is bounded')
    t.notOk(viewer.frames().some(({ type }) => type === 'snapshot'))
    t.ok(viewer.frames().every(({ type }) => type === 'refused' || type === 'status'))
    t.equal(viewer.closeCode(), undefined)
  },
)

t.test(
  'a parent that begins snapshots for ever, and never ends one, is told of, and held to bounds',
  async t => {
    const { evil, victim } = await below(t, 'edge')
    const viewer = await join(evil, victim)
    const before = process.memoryUsage.rss()
    const many = Array.from({ length: 16_384 }, () => new Uint8Array(65_536 / 16))
    const one = digestOf(many[0] ?? hash)
    const pieces = many.map(({ length }) => ({ tag: 0, bytes: length, digest: one }))
    for (let seq = 1; seq < 100; seq++) {
      evil.send(welcome(seq), {
        kind: 'snapshot-begin',
        channel,
        manifest: { at: head(seq), pieces },
      })
    }
    evil.send({ kind: 'signal', signal: 'head', doc, value: 2 ** 53 - 1 })
    await until(
      () => viewer.frames().some(({ type }) => type === 'refused'),
      'the viewer to be told',
      15_000,
    )
    t.match(viewer.frames().at(-1), { type: 'refused', retryAfter: Number })
    t.ok(process.memoryUsage.rss() - before < 300_000_000, 'memory is bounded')
  },
)

t.test(
  'heads that never come, and storms of status, hand-overs and ends, cost joins with backoff',
  async t => {
    const { evil, victim } = await below(t, 'edge')
    const viewer = await join(evil, victim)
    const piece = text('[["",{"n":1}]]')
    for (const isRefused of [false, true]) {
      evil.send(welcome(9), begin(9, [piece]), pieceOf(0, piece))
      const joins = evil.count('join')
      const endsAt = performance.now() + 2_000
      victim.stalledMs()
      while (performance.now() < endsAt) {
        const [value, ageMs] = [2 ** 53 - 1, 0xffff_ffff]
        const refusal = { doc, code: 'FANFOLD_BUSY', message: 'x', retryAfterMs: 0 } as const
        for (let index = 0; index < 200; index++) {
          evil.send(
            {
              kind: 'signal',
              signal: 'hand-over',
              doc: undefined,
              value: index % 2 === 0 ? 0 : value,
            },
            { kind: 'status', channel, stale: index % 2 === 0, ageMs },
            { kind: 'replay', replay: 1, ceiling: 255, records: [] },
            { kind: 'replay-ended', replay: 1, code: undefined, message: '', retryAfterMs: ageMs },
            { kind: 'replay-ended', replay: 1, ...refusal },
          )
          if (isRefused) evil.send({ kind: 'refused', ...refusal })
        }
        evil.send(welcome(9, 'tail'))
        evil.send({ kind: 'signal', signal: 'head', doc, value })
        await new Promise(resolve => setTimeout(resolve, 300))
      }
      const more = evil.count('join') + evil.count('request-replay') - joins
      t.ok(more < 12, `${more} joins in 2 s`)
      t.ok(victim.stalledMs() < 500, 'the loop went on')
    }
    t.equal(viewer.closeCode(), undefined)
    t.notOk(evil.isClosed)
  },
)

t.test('a child that asks for logs and pieces for ever takes no more than its share', async t => {
  const identity = await member('authority-1', ['authority'], 255)
  const authority = await startVictim(t, { roles: ['authority'], ...linkOptions(identity) })
  const writer = await openWebSocket(authority.port, '/v1/write', await tokenFor())
  const value = 'x'.repeat(30_000)
  const keys: DocumentKey[] = []
  for (let index = 0; index < 40; index++) {
    const key = parseDocumentKey(`acme/board/replayed-${index}`)
    keys.push(key)
    for (const id of [0, 1])
      writer.send({ type: 'send', doc: key, message: 'keep', value, id: `${index}-${id}` })
  }
  await until(
    () => writer.frames().filter(({ type }) => type === 'committed').length === 80,
    'commits',
  )
  const evil = await Evil.make(t, await member('edge-1', ['edge']))
  await evil.dial(authority)
  const before = process.memoryUsage.rss()
  authority.stalledMs()
  for (const [index, key] of keys.entries()) {
    evil.send({ kind: 'request-replay', doc: key, replay: index, have: undefined, credit: 0 })
    evil.send({
      kind: 'join',
      doc: key,
      have: undefined,
      credit: 0xffff_ffff,
      take: 'any',
      codecs: 3,
    })
  }
  await until(() => evil.count('replay-ended') >= 8, 'those over the share to be refused')
  t.match(
    evil.frames.find(({ kind }) => kind === 'replay-ended'),
    { code: 'FANFOLD_OVERLOADED' },
  )
  for (let round = 0; round < 50; round++) {
    for (const [index, key] of keys.entries()) {
      evil.send(
        { kind: 'replay-credit', replay: index, bytes: 0xffff_ffff },
        { kind: 'leave-replay', replay: index },
        {
          kind: 'request-replay',
          doc: key,
          replay: index,
          have: { epoch: 9, seq: 2 ** 48 - 1, hash },
          credit: 0xffff_ffff,
        },
        {
          kind: 'join',
          doc: key,
          have: undefined,
          credit: 1,
          take: round % 2 === 0 ? 'tail' : 'any',
          codecs: round,
        },
        {
          kind: 'request-pieces',
          channel: index + 1,
          indexes: Array.from({ length: 1_000 }, (_, at) => at),
        },
        { kind: 'signal', signal: 'presence', doc: key, value: 2 ** 53 - 1 },
      )
    }
  }
  const id = 'after'
  writer.send({ type: 'send', doc, message: 'keep', value, id })
  await writer.frame(
    frame => frame['id'] === id && frame['type'] === 'committed',
    'a commit meanwhile',
  )
  t.ok(authority.stalledMs() < 500, 'the loop went on')
  t.ok(process.memoryUsage.rss() - before < 300_000_000, 'memory is bounded')
  const other = await Evil.make(t, await member('edge-9', ['edge']))
  await other.dial(authority)
  other.send({ kind: 'request-replay', doc, replay: 1, have: undefined, credit: 1_000_000 })
  await until(
    () => other.frames.some(frame => frame.kind === 'replay-ended'),
    'the replay of another child',
  )
  t.match(other.frames.at(-1), { kind: 'replay-ended', code: undefined })
})
