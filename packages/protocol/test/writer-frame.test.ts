import fc from 'fast-check'
import t from 'tap'
import { parseDocumentKey } from '../src/document-key.ts'
import { limits } from '../src/limits.ts'
import { decodeWriterRequest, encodeWriterFrame, idempotencyId } from '../src/writer-frame.ts'
import { documentKey } from './arbitraries.ts'

const doc = parseDocumentKey('acme/match/final')
const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }
const request = (fields: unknown) => decodeWriterRequest(JSON.stringify(fields))

await t.test('each request is read field by field', async t => {
  t.same(request({ type: 'authenticate', token: 'abc' }), { type: 'authenticate', token: 'abc' })
  const send = { type: 'send', doc, message: 'goal', value: { team: 'home' }, id: 'c1-17' }
  t.same(request(send), send)
  t.same(request({ type: 'send', doc, message: 'tick' }), {
    type: 'send',
    doc,
    message: 'tick',
    value: undefined,
    id: undefined,
  })
})

await t.test('a field that is not what it must be is refused', async t => {
  const wrong: unknown[] = [
    null,
    [],
    {},
    { type: 'observe', doc },
    { type: 'authenticate' },
    { type: 'send', doc },
    { type: 'send', doc, message: 7 },
    { type: 'send', message: 'goal' },
    { type: 'send', doc, message: 'goal', id: 7 },
    { type: 'send', doc, message: 'goal', id: '' },
    { type: 'send', doc, message: 'goal', id: null },
  ]
  for (const fields of wrong) t.throws(() => request(fields), badFrame, JSON.stringify(fields))
  t.throws(() => request({ type: 'send', doc: 'a/b', message: 'goal' }), {
    code: 'FANFOLD_BAD_KEY',
  })
})

await t.test('an id of 128 bytes is taken, of one more not, whatever its letters', async t => {
  t.equal(limits.idempotencyIdBytesMax.value, 128)
  t.equal(idempotencyId('x'), 'x')
  t.equal(idempotencyId('x'.repeat(128)).length, 128)
  t.equal(idempotencyId('🏁'.repeat(32)).length, 64)
  t.throws(() => idempotencyId('x'.repeat(129)), { ...badFrame, message: /128 bytes, got 129/ })
  t.throws(() => idempotencyId('🏁'.repeat(33)), badFrame)
})

await t.test('a frame of 1 MiB is taken, of one byte more not', async t => {
  const most = limits.writeFrameBytesMax.value
  const empty = JSON.stringify({ type: 'send', doc, message: 'm', value: '' }).length
  const send = (bytes: number) =>
    request({ type: 'send', doc, message: 'm', value: 'x'.repeat(bytes - empty) })
  t.equal(send(most).type, 'send')
  t.throws(() => send(most + 1), { code: 'FANFOLD_FRAME_TOO_LARGE' })
})

await t.test('a type nested as deep as a frame allows is refused like any other', async t => {
  const deep = '['.repeat(400_000) + ']'.repeat(400_000)
  t.throws(() => decodeWriterRequest(`{"type":${deep}}`), badFrame)
})

await t.test('any JSON and any text is a request or a protocol error', async t => {
  const text = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc
      .record({
        type: fc.constantFrom('authenticate', 'send', 'other'),
        doc: fc.oneof(documentKey, fc.jsonValue()),
        token: fc.jsonValue(),
        message: fc.jsonValue(),
        id: fc.jsonValue(),
      })
      .map(fields => JSON.stringify(fields)),
  )
  const property = fc.property(text, text => {
    try {
      return decodeWriterRequest(text).type.length > 0
    } catch (error) {
      return error instanceof Error && error.name === 'ProtocolError'
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5000 }))
})

await t.test('an answer is its JSON, without an id when the request had none', async t => {
  t.equal(
    encodeWriterFrame({ type: 'committed', doc, id: 'c1-17', epoch: 3, seq: 121 }),
    '{"type":"committed","doc":"acme/match/final","id":"c1-17","epoch":3,"seq":121}',
  )
  t.equal(
    encodeWriterFrame({ type: 'moved', doc, to: 'wss://b.example' }),
    '{"type":"moved","doc":"acme/match/final","to":"wss://b.example"}',
  )
})

await t.test('an id that UTF-8 cannot say is none: the log would remember another', async t => {
  for (const id of ['\ud800', 'a\udc00', '\udfff\ud800'])
    t.throws(() => idempotencyId(id), badFrame)
  t.equal(idempotencyId('\ud83c\udfc1'), '🏁')
})
