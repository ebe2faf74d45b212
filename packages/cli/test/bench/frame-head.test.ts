import { asDocumentKey, encodeDeltaFrame, encodeSnapshotFrame } from '@fanfold/protocol'
import t from 'tap'
import { HeadReader, headBytesMax, readHead } from '../../src/bench/frame-head.ts'

const doc = asDocumentKey(`${'t'.repeat(80)}/${'y'.repeat(80)}/${'i'.repeat(80)}`)
if (doc === undefined) throw new Error('the longest key is one')
const place = { doc, epoch: 3, seq: 9 }
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const position = 'p'.repeat(128)

await t.test('a delta is read up to its patch, however it is cut', async t => {
  const patch = Buffer.from(
    JSON.stringify([{ op: 'add', path: '/a', value: ',"patch":é'.repeat(500) }]),
  )
  const frame = text(encodeDeltaFrame({ ...place, from: 8, timeMs: 17, position, patch }))
  const head = { type: 'delta', epoch: 3, from: 8, seq: 9, time: 17, position } as const
  t.same(readHead(frame), head)
  t.same(readHead(frame.slice(0, headBytesMax)), head)
})

await t.test('a snapshot is read up to its view', async t => {
  const viewJson = JSON.stringify({ text: 'x'.repeat(5_000) })
  const frame = text(encodeSnapshotFrame({ ...place, position, isDense: true, viewJson }))
  const head = { type: 'snapshot', epoch: 3, seq: 9, position, isDense: true }
  t.same(readHead(frame.slice(0, headBytesMax)), head)
})

await t.test('a frame whose members stand in another order is read as well', async t => {
  const frame = { patch: [], type: 'delta', time: 1, seq: 2, from: 1, epoch: 1, doc }
  t.match(readHead(JSON.stringify(frame)), { type: 'delta', from: 1, seq: 2 })
})

await t.test('small frames are read whole', async t => {
  const cases = [
    [
      { type: 'snapshot-begin', ...place, pieces: 2, bytes: 9 },
      { pieces: 2, seq: 9, isDense: false },
    ],
    [{ type: 'snapshot-piece', doc, index: 1, pairs: [] }, { index: 1 }],
    [{ type: 'snapshot-end', doc, position }, { position }],
    [{ type: 'moved', doc, to: 'ws://b' }, { to: 'ws://b' }],
    [
      { type: 'refused', doc, code: 'C', message: 'm', retryAfter: 5 },
      { doc, code: 'C', retryAfterMs: 5 },
    ],
    [
      { type: 'refused', code: 'C', message: 'm' },
      { doc: undefined, retryAfterMs: undefined },
    ],
    [{ type: 'left', doc, reason: 'deleted' }, { reason: 'deleted' }],
    [
      { type: 'status', doc, status: 'live', since: 0 },
      { type: 'status', isStale: false },
    ],
  ] as const
  for (const [frame, expected] of cases) t.match(readHead(JSON.stringify(frame)), expected)
  t.same(readHead('{"type":"counted"}'), { type: 'other' })
})

await t.test('what is no frame is none', async t => {
  for (const wrong of ['', '[]', '7', '{"type":"delta"', 'null'])
    t.equal(readHead(wrong), undefined)
})

await t.test('what was read last is not read again', async t => {
  const reader = new HeadReader()
  const frame = JSON.stringify({ type: 'left', doc, reason: 'deleted' })
  t.equal(reader.read(frame), reader.read(frame))
  t.same(reader.read('{"type":"status"}'), { type: 'status', isStale: false })
})
