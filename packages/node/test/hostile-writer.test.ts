/* What a hostile writer can do to a node over its WebSocket. */
import t from 'tap'
import { startVictim, tokenFor, until } from './hostile-rig.ts'
import { maskedText, openWebSocket, type RawWebSocket } from './hostile-socket.ts'

const victim = await startVictim(t)
const token = await tokenFor()
const open = async (shown = token): Promise<RawWebSocket> =>
  await openWebSocket(victim.port, '/v1/write', shown)
const keep = (doc: string, id?: string, value: unknown = 1): object => ({
  type: 'send',
  doc: `acme/board/${doc}`,
  message: 'keep',
  value,
  id,
})

t.test('a writer that reads no answers is not read from, and others are served', async t => {
  const deaf = await open()
  deaf.raw.socket.pause()
  const before = process.memoryUsage.rss()
  const frame = maskedText(JSON.stringify(keep('deaf')))
  const some = Buffer.concat(Array.from({ length: 1_000 }, () => frame))
  for (let sent = 0; sent < 100; sent++) deaf.raw.send(some)
  const other = await open()
  other.send(keep('served', 'one'))
  await other.frame(({ type }) => type === 'committed', 'an answer to the other writer')
  await new Promise(resolve => setTimeout(resolve, 1_000))
  t.ok(process.memoryUsage.rss() - before < 150_000_000, 'memory is bounded')
  deaf.raw.socket.destroy()
})

t.test('an id is of one subject and one document, and commits once there', async t => {
  const ada = await open(await tokenFor({ subject: 'ada' }))
  const bob = await open(await tokenFor({ subject: 'ada\u0000' }))
  const ids = ['x', '\u0000x', '__proto__', 'constructor', 'toString', 'x'.repeat(128)]
  for (const id of ids) {
    for (const writer of [ada, ada, bob]) writer.send(keep('ids', id))
  }
  ada.send(keep('ids-2', 'x'))
  await until(() => ada.frames().length === 13 && bob.frames().length === 6, 'all answers')
  for (const id of ids) {
    const of = (writer: RawWebSocket): unknown[] =>
      writer
        .frames()
        .filter(frame => frame['id'] === id && frame['doc'] === 'acme/board/ids')
        .map(({ seq }) => seq)
    const [first, second] = of(ada)
    t.equal(first, second, 'the same commit')
    t.not(of(bob)[0], first, 'another commit')
  }
})

t.test('an id that no log can hold as it is, is none', async t => {
  for (const id of ['\ud800', 'a\udc00b', '', 'x'.repeat(129), 5, null, { toString: 1 }]) {
    const writer = await open()
    writer.sendText(JSON.stringify({ ...keep('ids'), id }))
    const answer = await writer.frame(() => true, `an answer to ${JSON.stringify(id)}`)
    t.match(answer, { type: 'refused', code: 'FANFOLD_BAD_FRAME' }, JSON.stringify(id))
    writer.raw.socket.destroy()
  }
})

t.test('names of messages and documents are looked up, not evaluated', async t => {
  const names = ['__proto__', 'constructor', 'hasOwnProperty', '', 'x'.repeat(200_000), '\ud800']
  const writer = await open()
  for (const message of names) writer.send({ ...keep('names'), message })
  await until(() => writer.frames().length === names.length, 'answers')
  for (const frame of writer.frames()) {
    t.match(frame, { type: 'rejected', code: 'FANFOLD_NO_MESSAGE' })
    t.ok(JSON.stringify(frame).length < 1_000, 'nothing long comes back')
  }
  const docs = ['../../etc/passwd', 'a/b/\u0000', 'a/b', 'a/b/c/d', 'a//c', '__proto__', '*/*/*', 7]
  for (const doc of docs) {
    const other = await open()
    other.send({ ...keep('x'), doc })
    t.match(await other.frame(() => true, `an answer to ${doc}`), { type: 'refused' })
    other.raw.socket.destroy()
  }
})

t.test('values at the limits commit, one byte more does not', async t => {
  const writer = await open()
  const text = (bytes: number): string => 'x'.repeat(bytes - 2)
  const cases: [id: string, value: unknown, code: string | undefined][] = [
    ['text', text(49_152), undefined],
    ['text+', text(49_153), 'FANFOLD_TOO_LARGE'],
    ['name', { ['n'.repeat(256)]: 1 }, undefined],
    ['name+', { ['n'.repeat(257)]: 1 }, 'FANFOLD_TOO_LARGE'],
    ['deep', deep(63), undefined],
    ['deep+', deep(64), 'FANFOLD_TOO_DEEP'],
    ['patch', Array.from({ length: 20 }, () => text(49_152)), undefined],
    ['patch+', Array.from({ length: 21 }, () => text(49_000)), 'FANFOLD_TOO_LARGE'],
  ]
  for (const [id, value] of cases) writer.send(keep('limits', id, value))
  await until(() => writer.frames().length === cases.length, 'all answers')
  for (const [id, , code] of cases) {
    const answer = writer.frames().find(frame => frame['id'] === id)
    t.match(answer, { type: code === undefined ? 'committed' : 'rejected' }, id)
    t.equal(answer?.['code'], code, id)
  }
})

t.test('a token costs a signature: so many in a second, and no more', async t => {
  const writer = await open()
  const frame = maskedText(JSON.stringify({ type: 'authenticate', token }))
  writer.raw.send(Buffer.concat(Array.from({ length: 5_000 }, () => frame)))
  await until(() => writer.closeCode() !== undefined, 'the close')
  t.equal(writer.closeCode(), 4129)
  t.match(writer.frames(), [{ type: 'refused', code: 'FANFOLD_TOO_MANY_FRAMES' }])
})

function deep(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = [value]
  return value
}
