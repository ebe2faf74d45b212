import t from 'tap'
import { problemKind } from '../src/problem-kind.ts'

const same: readonly (readonly [string, string])[] = [
  [
    'at 1234 µs: 160000 ms were not enough: viewer-3 is observing at 12 of acme/board/0: it has no view',
    'at 99 µs: 120000 ms were not enough: viewer-11 is observing at 7 of acme/board/2: it has no view',
  ],
  [
    'at 5 µs: writer-1-7 of acme/board/0 was committed at 1:7, the log has it at [1:8, 1:9]',
    'at 6 µs: writer-3-1 of acme/board/1 was committed at 1:2, the log has it at []',
  ],
  ['at 5 µs: view is {"a":1}, not {"b":[2]}', 'at 5 µs: view is {"a":{}}, not {"b":2}'],
  ['thrown: Error: 7 of 8\n    at a.js:1', 'thrown: Error: 8 of 9\n    at b.js:2'],
]

t.test('problems that differ by times, numbers, names and content are of one kind', async t => {
  for (const [one, other] of same) t.equal(problemKind(one), problemKind(other))
})

t.test('problems that say something else are not', async t => {
  const kinds = new Set(same.map(([one]) => problemKind(one)))
  t.equal(kinds.size, same.length)
  t.not(
    problemKind('at 1 µs: viewer-3 is observing at 12 of acme/board/0: it has no view'),
    problemKind('at 1 µs: viewer-3 is observing at 12 of acme/board/0: it is about to change'),
  )
})
