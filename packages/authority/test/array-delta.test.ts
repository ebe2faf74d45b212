import fc from 'fast-check'
import t from 'tap'
import { arrayHunks, type Hunk } from '../src/array-delta.ts'

/** The hunks between two arrays of scalars, and how many comparisons they took. */
function compare(before: readonly unknown[], after: readonly unknown[]) {
  let work = 0
  const hunks = arrayHunks({
    beforeCount: before.length,
    afterCount: after.length,
    isEqual: (beforeIndex, afterIndex) => {
      work++
      return before[beforeIndex] === after[afterIndex]
    },
    work: () => work,
  })
  return { hunks, work }
}

/** What the hunks say the new array is. */
function rebuild(before: readonly unknown[], after: readonly unknown[], hunks: readonly Hunk[]) {
  const built: unknown[] = []
  let index = 0
  for (const hunk of hunks) {
    built.push(...before.slice(index, hunk.beforeStart))
    if (built.length !== hunk.afterStart) throw new Error('a hunk stands where the kept part ends')
    built.push(...after.slice(hunk.afterStart, hunk.afterEnd))
    index = hunk.beforeEnd
  }
  return [...built, ...before.slice(index)]
}

const sizeOf = (hunks: readonly Hunk[]): number =>
  hunks.reduce((sum, h) => sum + h.beforeEnd - h.beforeStart + h.afterEnd - h.afterStart, 0)

/** Fewest insertions and removals, by the table of the longest common subsequence. */
function fewestEdits(before: readonly unknown[], after: readonly unknown[]): number {
  let row = new Array<number>(after.length + 1).fill(0)
  for (const old of before) {
    const next = [0]
    for (const [index, now] of after.entries()) {
      next.push(
        old === now ? (row[index] ?? 0) + 1 : Math.max(row[index + 1] ?? 0, next[index] ?? 0),
      )
    }
    row = next
  }
  return before.length + after.length - 2 * (row.at(-1) ?? 0)
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

t.test('the hunks make the new array of the old one, with the fewest edits', async t => {
  const array = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 20 })
  fc.assert(
    fc.property(array, array, (before, after) => {
      const { hunks } = compare(before, after)
      const built = rebuild(before, after, hunks)
      if (built.join() !== after.join()) throw new Error(`${built} is not ${after}`)
      if (sizeOf(hunks) !== fewestEdits(before, after)) {
        throw new Error(`${sizeOf(hunks)} edits, the fewest are ${fewestEdits(before, after)}`)
      }
    }),
    { numRuns: 3_000 },
  )
  t.pass('3,000 pairs')
})

t.test('equal arrays have no hunks', async t => {
  t.same(compare(range(10), range(10)).hunks, [])
  t.same(compare([], []).hunks, [])
})

t.test('one insertion in a long array is one hunk of one element', async t => {
  const before = range(200)
  t.same(compare(before, before.toSpliced(3, 0, -1)).hunks, [
    { beforeStart: 3, beforeEnd: 3, afterStart: 3, afterEnd: 4 },
  ])
})

t.test('any number of removals, or of insertions, is found in one pass', async t => {
  const all = range(10_000)
  const rest = all.filter(n => n % 7 !== 3)
  const removed = compare(all, rest)
  t.equal(sizeOf(removed.hunks), all.length - rest.length)
  t.ok(removed.work < 3 * all.length, `${removed.work} comparisons`)
  t.equal(sizeOf(compare(rest, all).hunks), all.length - rest.length)
})

t.test('a few removals and insertions far apart are as many small hunks', async t => {
  const before = range(5_000)
  const after = before.toSpliced(4_000, 1).toSpliced(2_000, 0, -1).toSpliced(10, 2, -2)
  t.equal(compare(before, after).hunks.length, 3)
})

t.test('what would take too long to align is one hunk, and the work stays linear', async t => {
  const before = range(20_000)
  for (const after of [
    before.toReversed(),
    before.map(n => n % 2),
    before.map(n => (n * 7919) % 20_000),
  ]) {
    const { hunks, work } = compare(before, after)
    t.same(rebuild(before, after, hunks), after)
    t.ok(work < 16 * (before.length + after.length) + 2_048, `${work} comparisons`)
  }
})
