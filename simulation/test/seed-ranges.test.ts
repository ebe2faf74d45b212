import t from 'tap'
import { SeedRanges } from '../src/seed-ranges.ts'

t.test('numbers that come nearly in order are few ranges', async t => {
  const ranges = new SeedRanges()
  for (const number of [1, 0, 3, 2, 7, 5]) ranges.add(number)
  t.same(ranges.list, [
    [0, 3],
    [5, 5],
    [7, 7],
  ])
  ranges.add(6)
  ranges.add(4)
  t.same(ranges.list, [[0, 7]])
})

t.test('no number is counted twice', async t => {
  const ranges = new SeedRanges([
    [0, 9],
    [20, 29],
  ])
  t.throws(() => ranges.add(9), /seeds 9 to 9 are counted twice/)
  t.throws(() => ranges.merge([5, 100]), /seeds 5 to 9 are counted twice/)
  t.throws(() => ranges.merge([15, 22]), /seeds 20 to 22 are counted twice/)
  t.same(ranges.list, [
    [0, 9],
    [20, 29],
  ])
})
