import t from 'tap'
import { TimeScale } from '../../src/picture/time-scale.ts'

t.test('each thing that happens has room, and later is further down', async t => {
  const starts = [0, 0, 100, 5_000, 5_000, 5_001]
  const scale = new TimeScale(50, starts, [4_000])
  t.ok(scale.starts.every((y, index) => y - (scale.starts[index - 1] ?? 50) >= 16))
  const ys = [0, 100, 2_000, 4_000, 5_000, 5_001].map(micros => scale.y(micros))
  t.same(
    ys,
    ys.toSorted((a, b) => a - b),
  )
  t.ok(scale.height >= Math.max(...ys))
})

t.test('a time in which nothing happens is told, and takes little room', async t => {
  const scale = new TimeScale(0, [0, 3_000_000], [])
  t.match(scale.gaps, [{ micros: 3_000_000 }])
  t.ok(scale.height < 80)
})

t.test('what arrives at a time is above what it leads to', async t => {
  const scale = new TimeScale(0, [0, 100], [100])
  t.ok(scale.y(100) < (scale.starts[1] ?? 0))
})

t.test('in a long picture there are lines for names', async t => {
  const starts = Array.from({ length: 200 }, (_, index) => index)
  const { breaks, starts: ys } = new TimeScale(0, starts, [])
  t.equal(breaks.length, 3)
  t.ok(breaks.every(at => ys.every(y => Math.abs(y - at) > 6)))
})

t.test('of nothing there is no scale, and no error', async t => {
  t.equal(new TimeScale(10, [], []).y(7), 0)
})
