import { encodeUtf8 } from '@fanfold/kernel'
import t from 'tap'
import { decodeFrame, readFrame } from '../src/received-frame.ts'

const frameOf = (index: number, value = `${index}`): string =>
  JSON.stringify({ type: 'snapshot', doc: 'acme/board/0', epoch: 1, seq: index, view: { value } })

await t.test('frames with the same bytes are read once, others each by themselves', async t => {
  const first = readFrame(encodeUtf8(frameOf(1)))
  t.equal(readFrame(encodeUtf8(frameOf(1))), first)
  t.not(readFrame(encodeUtf8(frameOf(1, 'other'))), first)
  t.match(first.frame, JSON.parse(frameOf(1)))
})

await t.test('a frame that was forgotten is read anew, and has the same in it', async t => {
  const marker = 'mkbcdfghjklmnp'
  const first = readFrame(encodeUtf8(frameOf(1, marker)))
  for (let index = 2; index < 600; index++) readFrame(encodeUtf8(frameOf(index)))
  const again = readFrame(encodeUtf8(frameOf(1, marker)))
  t.not(again, first)
  t.same(again, first)
  t.ok(again.markers.has(marker))
})

await t.test('a piece of a view is made anew for each who gets it', async t => {
  const text = JSON.stringify({ type: 'snapshot-piece', doc: 'acme/board/0', pairs: [] })
  t.not(decodeFrame(encodeUtf8(text)), decodeFrame(encodeUtf8(text)))
})
