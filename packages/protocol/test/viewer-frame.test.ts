import fc from 'fast-check'
import t from 'tap'
import { parseDocumentKey } from '../src/document-key.ts'
import { limits } from '../src/limits.ts'
import {
  decodeViewerRequest,
  encodeDeltaFrame,
  encodeSnapshotFrame,
  encodeViewerFrame,
  encodeViewPieceFrame,
} from '../src/viewer-frame.ts'
import { documentKey } from './arbitraries.ts'

const doc = parseDocumentKey('acme/match/final')
const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }
const decodeText = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString())
const request = (fields: unknown) => decodeViewerRequest(JSON.stringify(fields))

await t.test('each request is read field by field', async t => {
  t.same(request({ type: 'authenticate', token: 'abc' }), { type: 'authenticate', token: 'abc' })
  t.same(request({ type: 'observe', doc }), {
    type: 'observe',
    doc,
    viewState: undefined,
    from: undefined,
    maxRate: undefined,
  })
  const full = { type: 'observe', doc, viewState: { page: 1 }, from: '1.2.3.ab', maxRate: 10 }
  t.same(request(full), full)
  t.same(request({ type: 'viewState', doc, viewState: null }), {
    type: 'viewState',
    doc,
    viewState: null,
  })
  const add = { type: 'add', doc, reducer: 'cheer', value: { team: 'home' }, id: 7, stamp: 9 }
  t.same(request(add), add)
  const bare = { type: 'add', doc, reducer: 'r'.repeat(80), value: null }
  t.same(request(bare), { ...bare, id: undefined, stamp: undefined })
  const longest = { ...bare, id: 'é'.repeat(64), stamp: Number.MAX_SAFE_INTEGER }
  t.same(request(longest), longest)
  t.same(request({ type: 'leave', doc }), { type: 'leave', doc })
})

await t.test('fields the version does not know are ignored', async t => {
  t.same(request({ type: 'leave', doc, later: true }), { type: 'leave', doc })
})

await t.test('a field that is not what it must be is refused', async t => {
  const wrong: unknown[] = [
    null,
    [],
    7,
    'observe',
    {},
    { type: 7 },
    { type: 'subscribe', doc },
    { type: 'toString' },
    { type: 'authenticate' },
    { type: 'authenticate', token: 7 },
    { type: 'observe' },
    { type: 'observe', doc: null },
    { type: 'observe', doc, from: 7 },
    { type: 'observe', doc, from: null },
    { type: 'observe', doc, maxRate: '10' },
    { type: 'observe', doc, maxRate: 0 },
    { type: 'observe', doc, maxRate: -1 },
    { type: 'observe', doc, maxRate: 1000.5 },
    { type: 'add', doc, reducer: 7, value: 1 },
    { type: 'add', doc, reducer: 'cheer', value: 1, id: {} },
    { type: 'add', doc, reducer: 'cheer', value: 1, id: null },
    { type: 'add', doc, reducer: 'cheer', value: 1, id: 'é'.repeat(65) },
    { type: 'add', doc, reducer: 'r'.repeat(81), value: 1 },
    { type: 'add', doc, reducer: 'cheer', value: 1, stamp: -1 },
    { type: 'add', doc, reducer: 'cheer', value: 1, stamp: 0.5 },
    { type: 'add', doc, reducer: 'cheer', value: 1, stamp: 2 ** 53 },
    { type: 'add', doc, reducer: 'cheer', value: 1, stamp: '7' },
    { type: 'add', doc, reducer: 'cheer', value: 1, stamp: null },
  ]
  for (const fields of wrong) t.throws(() => request(fields), badFrame, JSON.stringify(fields))
  // JSON has such numbers, and an answer could not say them.
  const endless = `{"type":"add","doc":"${doc}","reducer":"cheer","value":1,"id":1e999}`
  for (const text of [endless, '', '{', 'undefined', '{"type":"leave"', '\u0000']) {
    t.throws(() => decodeViewerRequest(text), badFrame, JSON.stringify(text))
  }
  t.throws(() => request({ type: 'leave', doc: '../..' }), { code: 'FANFOLD_BAD_KEY' })
})

await t.test('a rate of a thousand is taken, and the smallest over zero', async t => {
  for (const maxRate of [1000, 0.001]) {
    const read = request({ type: 'observe', doc, maxRate })
    t.equal(read.type === 'observe' && read.maxRate, maxRate)
  }
})

/** A `leave` frame of so many bytes. */
const sized = (bytes: number, letter = 'x'): string => {
  const room = bytes - JSON.stringify({ type: 'leave', doc, pad: '' }).length
  const size = Buffer.byteLength(letter)
  const pad = letter.repeat(Math.floor(room / size)) + 'x'.repeat(room % size)
  return JSON.stringify({ type: 'leave', doc, pad })
}

await t.test('a frame of 65,536 bytes is taken, of one more not, whatever its letters', async t => {
  const most = limits.observeFrameBytesMax.value
  for (const letter of ['x', 'é', '€', '🏁']) {
    t.equal(Buffer.byteLength(sized(most, letter)), most)
    t.same(decodeViewerRequest(sized(most, letter)), { type: 'leave', doc }, letter)
    t.throws(
      () => decodeViewerRequest(sized(most + 1, letter)),
      { code: 'FANFOLD_FRAME_TOO_LARGE', message: /at most 65536 bytes, got 65537/ },
      letter,
    )
  }
})

await t.test('a type nested as deep as a frame allows is refused like any other', async t => {
  const deep = '['.repeat(32_000) + ']'.repeat(32_000)
  t.throws(() => decodeViewerRequest(`{"type":${deep}}`), badFrame)
  t.throws(() => decodeViewerRequest(`{"type":"observe","doc":${deep}}`), badFrame)
  t.throws(() => decodeViewerRequest('['.repeat(65_536)), badFrame)
})

await t.test('members that attack objects stay values', async t => {
  const read = decodeViewerRequest(
    '{"__proto__":{"type":"leave"},"type":"viewState","doc":"a/b/c","viewState":{"__proto__":{"x":1}}}',
  )
  t.equal(read.type, 'viewState')
  t.equal(Object.hasOwn(Object.prototype, 'x'), false)
  t.throws(() => decodeViewerRequest('{"__proto__":{"type":"leave","doc":"a/b/c"}}'), badFrame)
})

await t.test('any JSON and any text is a request or a protocol error', async t => {
  const text = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc
      .record({
        type: fc.constantFrom('authenticate', 'observe', 'viewState', 'add', 'leave', 'other'),
        doc: fc.oneof(documentKey, fc.jsonValue()),
        token: fc.jsonValue(),
        from: fc.jsonValue(),
        maxRate: fc.jsonValue(),
        reducer: fc.jsonValue(),
        id: fc.jsonValue(),
      })
      .map(fields => JSON.stringify(fields)),
  )
  const property = fc.property(text, text => {
    try {
      return decodeViewerRequest(text).type.length > 0
    } catch (error) {
      return error instanceof Error && error.name === 'ProtocolError'
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5000 }))
})

await t.test('a snapshot frame is JSON around a view that is JSON already', async t => {
  const property = fc.property(documentKey, fc.jsonValue(), (doc, view) => {
    const viewJson = JSON.stringify(view)
    const bytes = encodeSnapshotFrame({ doc, epoch: 3, seq: 120, position: '1.3.120.ab', viewJson })
    const frame = { type: 'snapshot', doc, epoch: 3, seq: 120, position: '1.3.120.ab', view }
    return JSON.stringify(decodeText(bytes)) === JSON.stringify(frame)
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('a delta frame is JSON around a patch that is copied as it is', async t => {
  const patch = '[{"op":"add","path":"/a\\u00e9","value":"é€🏁"}]'
  const fields = { doc, epoch: 3, from: 120, seq: 121, timeMs: 1_731_931_200_123 }
  const bytes = encodeDeltaFrame({ ...fields, position: undefined, patch: Buffer.from(patch) })
  t.ok(Buffer.from(bytes).includes(patch))
  t.same(decodeText(bytes), {
    type: 'delta',
    doc,
    epoch: 3,
    from: 120,
    seq: 121,
    time: 1_731_931_200_123,
    patch: JSON.parse(patch),
  })
  const resumable = encodeDeltaFrame({
    ...fields,
    position: '1.3.121.ab',
    patch: Buffer.from('[]'),
  })
  t.match(decodeText(resumable), { position: '1.3.121.ab', patch: [] })
})

await t.test('the small frames are their JSON', async t => {
  const frame = { type: 'refused', code: 'FANFOLD_FORBIDDEN', message: 'no "quotes" lost' } as const
  t.same(decodeText(encodeViewerFrame(frame)), frame)
  const status = { type: 'status', doc, status: 'stale', since: 1_731_931_200_123 } as const
  t.same(decodeText(encodeViewerFrame(status)), status)
})

await t.test('a snapshot says when its seqs count the frames of the view', async t => {
  const snapshot = { doc, epoch: 1, seq: 2, position: 'p', viewJson: '{"n":1}' }
  const frame = { type: 'snapshot', doc, epoch: 1, seq: 2, position: 'p', view: { n: 1 } }
  t.same(decodeText(encodeSnapshotFrame({ ...snapshot, isDense: false })), frame)
  const dense = encodeSnapshotFrame({ ...snapshot, isDense: true })
  t.same(decodeText(dense), { ...frame, numbering: 'dense' })
})

await t.test('a piece of a snapshot is JSON around pairs that are copied as they are', async t => {
  const pairs = '[["",{}],["/a\\u00e9","é€🏁"]]'
  const bytes = encodeViewPieceFrame(doc, 7, Buffer.from(pairs))
  t.ok(Buffer.from(bytes).includes(pairs))
  t.same(decodeText(bytes), { type: 'snapshot-piece', doc, index: 7, pairs: JSON.parse(pairs) })
})

await t.test('what begins and ends a snapshot in pieces is its JSON', async t => {
  const begin = { type: 'snapshot-begin', doc, epoch: 1, seq: 2, pieces: 3, bytes: 9 } as const
  t.same(decodeText(encodeViewerFrame(begin)), begin)
  const dense = { ...begin, numbering: 'dense' } as const
  t.same(decodeText(encodeViewerFrame(dense)), dense)
  const end = { type: 'snapshot-end', doc, position: 'p' } as const
  t.same(decodeText(encodeViewerFrame(end)), end)
})
