import { type Instant, instant } from '@fanfold/kernel'
import t from 'tap'
import { Slice } from '../src/slice.ts'

const atMs = (ms: number): Instant => instant(ms * 1_000)

t.test('a slice is spent by what is written out and by who is let in', t => {
  const slice = new Slice(20_000)
  t.notOk(slice.isSpent)
  slice.spend(4_000)
  slice.spendViewer()
  t.notOk(slice.isSpent)
  slice.spendViewer()
  t.ok(slice.isSpent)
  slice.renew(atMs(1))
  t.notOk(slice.isSpent)
  t.end()
})

t.test('a slice is over when nothing was heard for a while, not in the middle of a storm', t => {
  const slice = new Slice(1)
  slice.renew(atMs(0))
  slice.spend(1)
  for (let ms = 1; ms < 100; ms += 9) {
    slice.pass(atMs(ms))
    t.ok(slice.isSpent, `${ms} ms`)
  }
  slice.pass(atMs(110))
  t.notOk(slice.isSpent)
  t.end()
})
