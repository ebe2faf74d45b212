/* What a hostile viewer can do to a node. */
import t from 'tap'
import { startVictim, tokenFor, until } from './hostile-rig.ts'
import { maskedText, openWebSocket, type RawWebSocket } from './hostile-socket.ts'

const victim = await startVictim(t)
const token = await tokenFor()
const doc = 'acme/board/seen'
const open = async (shown = token): Promise<RawWebSocket> =>
  await openWebSocket(victim.port, '/v1/observe', shown)

const writer = await openWebSocket(victim.port, '/v1/write', token)
for (let id = 0; id < 5; id++) writer.send({ type: 'send', doc, message: 'keep', value: id })
await until(() => writer.frames().length === 5, 'commits')

t.test('documents that do not exist are so many for each viewer', async t => {
  const viewer = await open()
  for (let index = 0; index < 150; index++) {
    viewer.send({ type: 'observe', doc: `acme/board/none-${index}` })
  }
  const refused = (code: string): number =>
    viewer.frames().filter(frame => frame['code'] === code).length
  await until(() => refused('FANFOLD_OVERLOADED') === 50, 'those too many to be refused')
  await until(() => refused('FANFOLD_NO_DOCUMENT') === 100, 'the others to be told that they wait')
  t.equal(viewer.closeCode(), undefined)
  viewer.raw.socket.destroy()
})

t.test('a viewer that comes and goes all the time is closed, others are served', async t => {
  const viewer = await open()
  const loop: Buffer[] = []
  for (let index = 0; index < 1_000; index++) {
    const key = `acme/board/loop-${index}`
    loop.push(maskedText(JSON.stringify({ type: 'observe', doc: key })))
    loop.push(maskedText(JSON.stringify({ type: 'leave', doc: key })))
  }
  viewer.raw.send(Buffer.concat(loop))
  await until(() => viewer.closeCode() !== undefined, 'the close')
  t.equal(viewer.closeCode(), 4129)
  t.match(
    viewer.frames().find(frame => frame['code'] === 'FANFOLD_TOO_MANY_FRAMES'),
    { type: 'refused', retryAfter: 1_000 },
  )
  const other = await open()
  other.send({ type: 'observe', doc })
  await other.frame(({ type }) => type === 'snapshot', 'a snapshot')
  other.raw.socket.destroy()
})

t.test('fields that are nonsense are refused, and three times is enough', async t => {
  const frames = [
    ...['0', '-1', '1e400', '"5"', 'null', '1001', '{}'].map(
      rate => `{"type":"observe","doc":"${doc}","maxRate":${rate}}`,
    ),
    `{"type":"observe","doc":"${doc}","from":5}`,
    `{"type":"observe","doc":["${doc}"]}`,
    '{"type":"observe","doc":"a/b/__proto__/c"}',
    '{"type":"__proto__"}',
    '{"type":["observe"]}',
    '[]',
    'null',
    '"observe"',
    `{"type":"observe","doc":"acme/board/${'x'.repeat(300)}"}`,
    `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
    `{"type":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
  ]
  for (const text of frames) {
    const viewer = await open()
    viewer.sendText(text)
    const answer = await viewer.frame(() => true, `an answer to ${text.slice(0, 60)}`)
    t.match(answer, { type: 'refused', code: /^FANFOLD_BAD_(FRAME|KEY)$/ }, text.slice(0, 60))
    t.ok(JSON.stringify(answer).length < 500, 'the answer is short')
    viewer.sendText(text)
    viewer.sendText(text)
    await until(() => viewer.closeCode() === 4500, 'the close')
    viewer.raw.socket.destroy()
  }
})

t.test(
  'positions that no node gave out are answered with a snapshot, whatever they claim',
  async t => {
    const hash = '0'.repeat(32)
    const positions = [
      `1.1.99.${hash}`,
      `1.1.3.${hash}`,
      `2.${'A'.repeat(78)}`,
      `2.${'A'.repeat(77)}=`,
      `1.1.-1.${hash}`,
      `1.1.1e3.${hash}`,
      `1.1.${2 ** 60}.${hash}`,
      '1.1.0.',
      '',
      'x'.repeat(60_000),
      '__proto__',
      `1.1.3.${'z'.repeat(32)}`,
      '1.1.3.\ud800',
    ]
    for (const from of positions) {
      const viewer = await open()
      viewer.send({ type: 'observe', doc, from })
      const answer = await viewer.frame(() => true, `an answer to ${from.slice(0, 40)}`)
      t.match(answer, { type: /^(snapshot|refused)$/ }, JSON.stringify(from.slice(0, 40)))
      viewer.raw.socket.destroy()
    }
  },
)

t.test('view states, however deep, are refused', async t => {
  const viewer = await open()
  const bomb = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  viewer.sendText(`{"type":"observe","doc":"${doc}","viewState":${bomb}}`)
  viewer.sendText(`{"type":"viewState","doc":"${doc}","viewState":${bomb}}`)
  viewer.send({ type: 'add', doc, reducer: 'r'.repeat(60_000), value: 1 })
  viewer.sendText(`{"type":"add","doc":"${doc}","reducer":"cheer","value":${bomb},"id":1}`)
  await until(() => viewer.frames().length === 4, 'answers')
  t.match(viewer.frames(), [
    { code: 'FANFOLD_INVALID_VIEW_STATE' },
    { code: 'FANFOLD_NOT_OBSERVED' },
    { code: 'FANFOLD_BAD_FRAME' },
    { type: 'rejected', id: 1, code: 'FANFOLD_NOT_OBSERVED' },
  ])
  for (const frame of viewer.frames()) t.ok(JSON.stringify(frame).length < 1_000, 'short')
  viewer.raw.socket.destroy()
})

t.test('tokens of others open nothing', async t => {
  const tokens = {
    tenant: await tokenFor({ tenant: 'other' }),
    documents: await tokenFor({ documents: ['acme/board/*x', 'other/**'] }),
    action: await tokenFor({ allow: ['write'] }),
  }
  for (const [name, shown] of Object.entries(tokens)) {
    const viewer = await open(shown)
    for (const key of [doc, 'acme/board/none']) viewer.send({ type: 'observe', doc: key })
    await until(() => viewer.frames().length === 2, 'answers')
    const codes = viewer.frames().map(({ code }) => code)
    t.same(codes, ['FANFOLD_FORBIDDEN', 'FANFOLD_FORBIDDEN'], `${name}: exists or not, the same`)
    viewer.raw.socket.destroy()
  }
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const body = token.split('.')[1]
  const bad = [
    'x'.repeat(60),
    `${none}.${body}.`,
    `${token.slice(0, -4)}AAAA`,
    await tokenFor({ key: 'another-key-for-tests-0123456789abcdef' }),
    await tokenFor({ ttlMs: -60_000 }),
    'y'.repeat(9_000),
  ]
  for (const shown of bad) {
    const viewer = await openWebSocket(victim.port, '/v1/observe', undefined)
    viewer.send({ type: 'authenticate', token: shown })
    await until(() => viewer.closeCode() !== undefined, 'the close')
    t.equal(viewer.closeCode(), 4501)
    t.notOk(viewer.raw.received().includes(shown.slice(-50)), 'the token does not come back')
    viewer.raw.socket.destroy()
  }
  t.notOk(victim.logged().includes(token))
})
