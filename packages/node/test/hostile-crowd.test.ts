/* What a hostile edge can say of a crowd, and what hostile viewers can: nothing counts wrongly, and others are heard. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  ByteWriter,
  type DocumentKey,
  type LinkFrame,
  type LinkId,
  parseDocumentKey,
} from '@fanfold/protocol'
import t from 'tap'
import { dialled, type EvilLinks, join, linkOptions, member } from './hostile-links.ts'
import { startVictim, tokenFor, until } from './hostile-rig.ts'
import { maskedText, openWebSocket, type RawWebSocket } from './hostile-socket.ts'

const doc = parseDocumentKey('acme/board/crowded')
const memoryBytesMax = 200_000_000

t.setTimeout(400_000)
/** How long is waited for what is to come, ms: on a busy machine that is long. */
const waitMsMax = 30_000

const victim = await startVictim(t, {
  roles: ['authority', 'edge'],
  ...linkOptions(await member('node-1', ['authority', 'edge'], 255)),
  'limits.crowdMessagesPerViewerPerSecond': 1_000,
  'limits.crowdMessagesPerViewerBurst': 1_000,
})
const token = await tokenFor()
const writer = await openWebSocket(victim.port, '/v1/write', token)
writer.send({ type: 'send', doc, message: 'keep', value: 1, id: 'first' })
await writer.frame(({ id }) => id === 'first', 'a commit')

/** Claps that are to be in the document. */
let claps = 0

/** Somebody comes and claps once, is told, and is shown so many claps as there were, and nothing else. */
async function checkClaps(): Promise<void> {
  const viewer = await openViewer()
  const id = `honest-${++claps}`
  viewer.send({ type: 'add', doc, reducer: 'clap', value: {}, id })
  const isTold = (): boolean =>
    viewer.frames().some(frame => frame['id'] === id && frame['type'] === 'counted')
  await until(isTold, `${id} to be counted`, waitMsMax)
  await until(() => shownClaps(viewer) >= claps, `${claps} claps`, waitMsMax)
  t.equal(shownClaps(viewer), claps, `${claps} claps are in the document`)
  const { view } = await viewer.frame(({ type }) => type === 'snapshot', 'a snapshot')
  t.same(Reflect.get(Object(view), 'cheers'), {})
  viewer.raw.socket.destroy()
}

/** How many claps a viewer is shown: in its snapshot, or by the last change of them. */
function shownClaps(viewer: RawWebSocket): number {
  let shown = 0
  for (const { type, view, patch } of viewer.frames()) {
    if (type === 'snapshot') shown = Number(Reflect.get(Object(view), 'claps'))
    if (!Array.isArray(patch)) continue
    for (const { path, value } of patch) if (path === '/claps') shown = value
  }
  return shown
}

/** A viewer that is shown the document. */
async function openViewer(): Promise<RawWebSocket> {
  const viewer = await openWebSocket(victim.port, '/v1/observe', token)
  viewer.send({ type: 'observe', doc })
  await viewer.frame(({ type }) => type === 'snapshot', 'a snapshot')
  return viewer
}

type RawRange = readonly [session: number, after: number, windows: number]
type RawSum = readonly [reducer: string, shape: string, bytes: Uint8Array]

/** An aggregate as it is on the wire, whatever it says. */
function aggregate(ranges: readonly RawRange[], sums: readonly RawSum[]): Uint8Array {
  const writer = new ByteWriter(64).varint(ranges.length)
  let before = 0
  for (const [session, after, windows] of ranges) {
    writer.varint(session - before)
    writer.varint(after).varint(windows)
    before = session
  }
  writer.varint(sums.length)
  for (const [reducer, shape, bytes] of sums) {
    writer.text(reducer).text(shape).varint(bytes.length).raw(bytes)
  }
  return writer.finish()
}

const clapsOf = (count: number): RawSum => [
  'clap',
  'count',
  new ByteWriter(8).varint(count).finish(),
]

type Answer = Extract<LinkFrame, { kind: 'crowd-answer' }>

/** An edge in an attacker's hands, with a session of its own. */
class EvilEdge {
  readonly evil: EvilLinks
  readonly #link: LinkId
  #number = 0
  session = 0

  private constructor(evil: EvilLinks, link: LinkId) {
    this.evil = evil
    this.#link = link
  }

  static async open(name: string): Promise<EvilEdge> {
    const { evil, link } = await dialled(victim, await member(name, ['edge']))
    const edge = new EvilEdge(evil, link)
    evil.send(link, join(doc))
    await until(() => evil.frames().some(({ kind }) => kind === 'welcome'), 'a welcome', waitMsMax)
    edge.session = (await edge.say({ asked: 1 }))?.sessions[0] ?? 0
    return edge
  }

  get isClosed(): boolean {
    return this.evil.inputs.some(({ kind }) => kind === 'link-closed')
  }

  /** Says it, without waiting. */
  send(said: {
    readonly asked?: number
    readonly aggregate?: Uint8Array
    readonly doc?: DocumentKey
  }): number {
    const { asked = 0, aggregate = new Uint8Array(0) } = said
    const number = ++this.#number
    this.evil.send(this.#link, { kind: 'crowd', doc: said.doc ?? doc, number, asked, aggregate })
    return number
  }

  /** Says it; the answer, or undefined when the link was closed for it. */
  async say(said: Parameters<EvilEdge['send']>[0]): Promise<Answer | undefined> {
    const number = this.send(said)
    const answer = (): Answer | undefined =>
      this.evil
        .frames()
        .find((one): one is Answer => one.kind === 'crowd-answer' && one.number === number)
    await until(() => answer() !== undefined || this.isClosed, 'an answer, or the end', waitMsMax)
    return answer()
  }
}

await t.test('what an edge says of its windows counts once, whatever it says again', async t => {
  const edge = await EvilEdge.open('edge-1')
  const { session } = edge
  await edge.say({ aggregate: aggregate([[session, 0, 1]], [clapsOf(5)]) })
  claps += 5
  await checkClaps()
  const refused: [name: string, range: RawRange][] = [
    ['other bytes of the same windows', [session, 0, 1]],
    ['an overlap', [session, 0, 2]],
    ['a gap', [session, 2, 1]],
    ['a session of nobody', [session + 1_000, 0, 1]],
    ['the last session that there can be', [Number.MAX_SAFE_INTEGER, 0, 1]],
    ['session of another epoch', [1, 0, 1]],
  ]
  for (const [name, range] of refused) {
    const answer = await edge.say({ aggregate: aggregate([range], [clapsOf(7)]) })
    t.ok(answer, `${name} is answered with what is so`)
    await checkClaps()
  }
  const both = aggregate(
    [
      [session, 1, 1],
      [session + 1_000, 0, 1],
    ],
    [clapsOf(7)],
  )
  t.ok(await edge.say({ aggregate: both }), 'all of it counts, or nothing')
  await checkClaps()
  t.notOk(edge.isClosed)
})

await t.test('what is no aggregate ends the link with a reason, and counts nothing', async t => {
  const full: RawRange[] = Array.from({ length: 10_001 }, (_, index) => [index + 1, 0, 1])
  const bad: [name: string, bytes: (session: number) => Uint8Array][] = [
    ['no window', session => aggregate([[session, 1, 0]], [clapsOf(7)])],
    ['windows past 2^53', session => aggregate([[session, Number.MAX_SAFE_INTEGER, 1]], [])],
    [
      'a session twice',
      session =>
        aggregate(
          [
            [session, 0, 1],
            [session, 1, 1],
          ],
          [clapsOf(7)],
        ),
    ],
    ['10,001 sessions', () => aggregate(full, [clapsOf(7)])],
    [
      'a million sessions, of which none is there',
      () => new ByteWriter(8).varint(1_000_000).finish(),
    ],
    [
      '2^53 sums',
      session => {
        const head = aggregate([[session, 0, 1]], [])
        return new ByteWriter(32).raw(head.subarray(0, -1)).varint(Number.MAX_SAFE_INTEGER).finish()
      },
    ],
    ['257 sums', session => aggregate([[session, 0, 1]], new Array(257).fill(clapsOf(1)))],
    [
      'more bytes than sums may have',
      session => aggregate([[session, 0, 1]], [['clap', 'count', new Uint8Array(262_144)]]),
    ],
    [
      'the name of a reducer that is too long',
      session => aggregate([[session, 0, 1]], [['c'.repeat(81), 'count', new Uint8Array(1)]]),
    ],
    [
      'bytes behind it',
      session =>
        new ByteWriter(64)
          .raw(aggregate([[session, 0, 1]], [clapsOf(7)]))
          .uint8(0)
          .finish(),
    ],
    ['garbage', () => new Uint8Array(100_000).fill(0xff)],
  ]
  for (const [index, [name, bytes]] of bad.entries()) {
    const edge = await EvilEdge.open(`edge-bad-${index}`)
    t.equal(await edge.say({ aggregate: bytes(edge.session) }), undefined, name)
    t.match(edge.evil.inputs.at(-1), { kind: 'link-closed', reason: /^bad-frame/ }, name)
    await checkClaps()
  }
})

await t.test('sums that are none count nothing, and take none of the others with them', async t => {
  const edge = await EvilEdge.open('edge-2')
  const { session } = edge
  const sums: [name: string, sum: RawSum][] = [
    ['a count past 2^53', ['clap', 'count', new Uint8Array(8).fill(0xff)]],
    ['a count of no bytes', ['clap', 'count', new Uint8Array(0)]],
    ['a count with more behind it', ['clap', 'count', new Uint8Array([1, 1])]],
    ['another shape', ['clap', 'sum/0', new Uint8Array([1])]],
    ['a reducer that is not there', ['boo', 'count', new Uint8Array([1])]],
    ['a name that JavaScript has', ['__proto__', 'count', new Uint8Array([1])]],
    ['another one', ['constructor', 'count', new Uint8Array([1])]],
    [
      'a kind that JavaScript has',
      [
        'cheer',
        'top/256',
        new ByteWriter(64).varint(1).varint(0).varint(1).text('__proto__').varint(1).finish(),
      ],
    ],
    [
      'more kinds than were said',
      [
        'cheer',
        'top/256',
        new ByteWriter(64).varint(1).varint(0).varint(1).text('a').varint(2).finish(),
      ],
    ],
  ]
  for (const [index, [name, sum]] of sums.entries()) {
    const said = { aggregate: aggregate([[session, index, 1]], [sum, clapsOf(1)]) }
    t.ok(await edge.say(said), name)
    claps++
    await checkClaps()
  }
  t.notOk(edge.isClosed)
})

await t.test(
  'sums of a shape that nobody has, and those that never fit, hold up nobody',
  async t => {
    const edge = await EvilEdge.open('edge-3')
    const { session } = edge
    const one = new Uint8Array([1])
    const shapes = ['histogram/50000000', 'among/50000000', 'vote/50000000', 'sample/50000000/2048']
    const before = process.memoryUsage.rss()
    const ofShapes = shapes.flatMap((shape): RawSum[] => [
      ['clap', shape, one],
      ['clap', shape, one],
    ])
    t.ok(await edge.say({ aggregate: aggregate([[session, 0, 1]], ofShapes) }))
    const largest = new ByteWriter(1_024)
    largest.varint(Number.MAX_SAFE_INTEGER)
    for (let bucket = 0; bucket < 1_000; bucket++) largest.varint(1)
    const full: RawSum = ['clap', 'histogram/1000', largest.finish()]
    const none: RawSum = ['clap', 'top/1024', new Uint8Array(1_000).fill(0xff)]
    // One byte says that all of 65,536 registers are empty.
    const sparse: RawSum = ['clap', 'distinct/16', new Uint8Array([0])]
    for (const [index, sum] of [full, none, sparse].entries()) {
      const said = { aggregate: aggregate([[session, index + 1, 1]], new Array(250).fill(sum)) }
      t.ok(await edge.say(said))
    }
    t.ok(process.memoryUsage.rss() - before < memoryBytesMax, 'memory is bounded')
    await checkClaps()
  },
)

await t.test(
  'who asks for more sessions than there are gets some, and others get theirs',
  async t => {
    const edge = await EvilEdge.open('edge-4')
    const before = process.memoryUsage.rss()
    for (let round = 0; round < 3; round++) edge.send({ asked: 0xffff })
    await checkClaps()
    const other = await EvilEdge.open('edge-5')
    t.ok(other.session > 0)
    t.ok(process.memoryUsage.rss() - before < memoryBytesMax, 'memory is bounded')
    await checkClaps()
  },
)

await t.test('a flood of what an edge says is as much as it may say', async t => {
  const edge = await EvilEdge.open('edge-6')
  const { session } = edge
  const before = process.memoryUsage.rss()
  const said = { aggregate: aggregate([[session, 5, 1]], [clapsOf(1)]) }
  for (let round = 0; round < 5_000; round++) {
    edge.send(said)
    edge.send({ ...said, doc: parseDocumentKey(`acme/board/none-${round}`) })
    // Who floods is in this process, too.
    if (round % 100 === 0) await nextTurn()
  }
  await checkClaps()
  t.ok(process.memoryUsage.rss() - before < memoryBytesMax, 'memory is bounded')
})

await t.test('what a viewer says that is nothing is rejected, with a code, in short', async t => {
  const viewer = await openViewer()
  const bad: [reducer: string, value: unknown, code: string][] = [
    ['__proto__', 1, 'FANFOLD_NO_REDUCER'],
    ['constructor', 1, 'FANFOLD_NO_REDUCER'],
    ['toString', 1, 'FANFOLD_NO_REDUCER'],
    ['cheer', '__proto__', 'FANFOLD_INVALID_VALUE'],
    ['cheer', 'constructor', 'FANFOLD_INVALID_VALUE'],
    ['cheer', '', 'FANFOLD_INVALID_VALUE'],
    ['cheer', 'x'.repeat(60_000), 'FANFOLD_INVALID_VALUE'],
    ['cheer', '\u{1f468}\u200d\u{1f469}'.repeat(33), 'FANFOLD_INVALID_VALUE'],
    ['cheer', '\ud800', 'FANFOLD_INVALID_VALUE'],
    ['cheer', 5, 'FANFOLD_INVALID_VALUE'],
    ['cheer', null, 'FANFOLD_INVALID_VALUE'],
    ['cheer', ['a'], 'FANFOLD_INVALID_VALUE'],
    ['cheer', { toString: 'a', length: 1 }, 'FANFOLD_INVALID_VALUE'],
  ]
  for (const [id, [reducer, value, code]] of bad.entries()) {
    viewer.send({ type: 'add', doc, reducer, value, id })
    const told = await viewer.frame(frame => frame['id'] === id, `an answer to ${id}`)
    t.match(told, { type: 'rejected', code }, JSON.stringify(value).slice(0, 60))
    t.ok(JSON.stringify(told).length < 1_000, 'in short')
  }
  viewer.send({ type: 'add', doc, reducer: 'r'.repeat(60_000), value: 1, id: 'long' })
  const refused = await viewer.frame(({ type }) => type === 'refused', 'a name that is too long')
  t.match(refused, { code: 'FANFOLD_BAD_FRAME' })
  t.ok(JSON.stringify(refused).length < 1_000, 'in short')
  t.equal(viewer.closeCode(), undefined)
  viewer.raw.socket.destroy()
  await checkClaps()
})

await t.test('ids and stamps of other kinds are refused, and three of them are enough', async t => {
  const members = [
    ...['null', '{}', '[]', 'true', '1e400', `"${'i'.repeat(129)}"`].map(id => `"id":${id}`),
    ...['-1', '1.5', '9007199254740992', '"5"', 'null', '1e400'].map(stamp => `"stamp":${stamp}`),
    '"reducer":5',
    '"reducer":["clap"]',
  ]
  for (const one of members) {
    const viewer = await openViewer()
    const reducer = one.startsWith('"reducer"') ? '' : '"reducer":"clap",'
    const text = `{"type":"add","doc":"${doc}",${reducer}"value":{},${one}}`
    for (let round = 0; round < 3; round++) viewer.sendText(text)
    await until(() => viewer.closeCode() === 4500, `the close after ${one}`)
    t.match(
      viewer.frames().find(({ type }) => type === 'refused'),
      { code: 'FANFOLD_BAD_FRAME' },
      one,
    )
    viewer.raw.socket.destroy()
  }
  await checkClaps()
})

await t.test(
  'a flood of a viewer ends with its connection, and what it was told counts',
  async t => {
    const viewer = await openViewer()
    const before = process.memoryUsage.rss()
    const count = 20_000
    const frames = Array.from({ length: count }, (_, id) =>
      maskedText(JSON.stringify({ type: 'add', doc, reducer: 'boo', value: 1, id })),
    )
    viewer.raw.send(Buffer.concat(frames))
    await until(() => viewer.closeCode() !== undefined, 'the close')
    t.equal(viewer.closeCode(), 4129)
    t.ok(process.memoryUsage.rss() - before < memoryBytesMax, 'memory is bounded')
    viewer.raw.socket.destroy()
    await checkClaps()
  },
)
