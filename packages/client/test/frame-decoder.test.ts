import t from 'tap'
import { decodeViewerFrame, decodeWriterFrame } from '../src/frame-decoder.ts'
import { delta, doc, snapshot } from './frames.ts'
import { framesOf } from './pieces.ts'

t.test('reads every frame of an edge', t => {
  for (const frame of [
    snapshot(),
    delta(),
    { type: 'status', doc, status: 'stale', since: 1 },
    { type: 'moved', doc, to: 'wss://b' },
    { type: 'refused', code: 'FANFOLD_FORBIDDEN', message: 'no' },
    { type: 'refused', doc, code: 'FANFOLD_BUSY', message: 'later', retryAfter: 5 },
    { type: 'left', doc, reason: 'asked' },
    { type: 'status', doc, status: 'stale', since: 1, code: 'FANFOLD_RULE_FAILED' },
    ...framesOf([[['', {}]], [['/a', null]]]).all,
  ]) {
    t.same(decodeViewerFrame(JSON.stringify(frame)), frame)
  }
  t.end()
})

t.test('reads every answer to a writer', t => {
  for (const frame of [
    { type: 'committed', doc, id: 'a', epoch: 1, seq: 2 },
    { type: 'rejected', doc, id: 'a', code: 'FANFOLD_BUSY', message: 'later' },
    { type: 'moved', doc, to: 'wss://b' },
    { type: 'refused', code: 'FANFOLD_BAD_FRAME', message: 'what?' },
  ]) {
    t.same(decodeWriterFrame(JSON.stringify(frame)), frame)
  }
  t.end()
})

t.test('passes over types of frames that a later version may bring', t => {
  t.equal(decodeViewerFrame('{"type":"signal"}'), undefined)
  t.equal(decodeWriterFrame('{}'), undefined)
  t.equal(decodeViewerFrame('{"type":"toString"}'), undefined)
  t.equal(decodeWriterFrame('{"type":["committed"],"doc":1}'), undefined)
  t.end()
})

t.test('refuses frames that are not what they must be', t => {
  const bad = { code: 'FANFOLD_BAD_FRAME' }
  const pieces = framesOf([[['', {}]]])
  for (const text of ['', '1', 'null', '"a"', '{']) {
    t.throws(() => decodeViewerFrame(text), bad)
    t.throws(() => decodeWriterFrame(text), bad)
  }
  for (const frame of [
    { ...snapshot(), seq: 1.5 },
    { ...snapshot(), view: undefined },
    { ...snapshot(), position: 1 },
    { ...delta(), patch: {} },
    { ...delta(), from: undefined },
    { type: 'refused', code: 'FANFOLD_BUSY', message: 'later', retryAfter: 'soon' },
    { type: 'refused', code: 'FANFOLD_BUSY', message: 'later', retryAfter: null },
    { ...snapshot(), seq: -1 },
    { type: 'status', doc, status: 'stale', since: 1, code: 7 },
    { ...pieces.begin, pieces: '1' },
    { ...pieces.begin, bytes: 1.5 },
    { ...pieces.end, position: undefined },
    ...pieces.pieces.flatMap(piece => [
      { ...piece, index: undefined },
      { ...piece, pairs: {} },
    ]),
  ]) {
    t.throws(() => decodeViewerFrame(JSON.stringify(frame)), bad, JSON.stringify(frame))
  }
  t.throws(() => decodeWriterFrame('{"type":"committed","doc":"a/b/c"}'), bad)
  t.end()
})
