import t from 'tap'
import { chartOf, lanesMax, problemOf, rowsMax } from '../../src/picture/chart.ts'
import { buildRun, mark, message } from './build-items.ts'

const problems = ['at 5000 µs: viewer-1, acme/board/0: delta from 3 to 5, view at 4']
const down = ['authority', 'proxy-0'] as const

t.test('a problem is where and when it says', async t => {
  t.same(problemOf('at 12 µs: proxy-0 to edge-1: wrong\nin lines'), {
    atMicros: 12,
    text: 'proxy-0 to edge-1: wrong\nin lines',
    lanes: ['proxy-0', 'edge-1'],
  })
})

t.test('writers stand in one lane together', async t => {
  t.same(problemOf('at 12 µs: writer-3-7 of acme/board/0 is lost').lanes, ['writers'])
})

t.test('lanes are those that the problem names, and those above them', async t => {
  const { lanes } = chartOf(buildRun({ problems }), {})
  t.same(lanes, ['writers', 'authority', 'proxy-0', 'edge-1', 'viewer-1'])
})

t.test('below an edge that a problem names there are viewers', async t => {
  const { lanes } = chartOf(buildRun({ problems: ['at 1 µs: edge-0: wrong'] }), {})
  t.same(lanes, ['writers', 'authority', 'proxy-0', 'edge-0', 'viewer-0'])
})

t.test('without a name they are where most happens, and not too many', async t => {
  const items = Array.from({ length: 40 }, (_, index) => mark(index, `edge-${index % 20}`, 'rests'))
  const { lanes } = chartOf(buildRun({ items, problems: ['at 1 s: lost'] }), {})
  t.ok(lanes.length <= lanesMax + 1 && lanes.length > 5)
})

t.test('what is about another document, or on other lanes, is not shown', async t => {
  const items = [
    message(1_000, down, { doc: 'acme/board/0' }),
    message(1_001, down, { doc: 'acme/board/1' }),
    message(1_002, down, { what: 'credit' }),
    message(1_003, ['proxy-0', 'edge-0'], { doc: 'acme/board/0' }),
    message(1_004, down, { what: 'ping' }),
  ]
  const { rows, left, doc } = chartOf(buildRun({ items, problems }), {})
  t.same(
    rows.map(({ item }) => item.atMicros),
    [1_000, 1_002],
  )
  t.equal(left, 3)
  t.equal(doc, 'acme/board/0')
})

t.test('what is alike and follows each other is one with a count', async t => {
  const pieces = [0, 1, 2].map(index =>
    message(1_000 + index, down, { what: 'piece', detail: `${index}` }),
  )
  const items = [...pieces, mark(1_010, 'edge-1', 'wakes'), message(1_020, down, { what: 'piece' })]
  const joined = chartOf(buildRun({ items, problems }), {}).rows
  t.same(
    joined.map(({ item, count }) => [item.label.what, count]),
    [
      ['piece', 4],
      ['wakes', 1],
    ],
  )
  t.match(joined[0], { arrivedMicros: 1_120, item: { atMicros: 1_000 } })
  const apart = [
    ...pieces,
    mark(1_010, 'proxy-0', 'wakes'),
    message(1_020, down, { what: 'piece' }),
  ]
  t.equal(chartOf(buildRun({ items: apart, problems }), {}).rows.length, 3)
})

t.test('the last rows before the problem are shown, or those of a time that is told', async t => {
  const items = Array.from({ length: 1_000 }, (_, index) => mark(index * 10, 'edge-1', `${index}`))
  const run = buildRun({ items, problems })
  const before = chartOf(run, {})
  t.equal(before.rows.length, rowsMax)
  t.ok(before.toMicros <= 25_000 && before.fromMicros > 0)
  const told = chartOf(run, { fromMicros: 1_000, toMicros: 1_095 })
  t.equal(told.rows.length, 10)
  t.same(told.problems, [])
})

t.test('faults of that time are shown', async t => {
  const crash = (atMs: number, forMs: number) => {
    return { kind: 'crash', node: 'proxy-0', atMs, forMs } as const
  }
  const faults = [crash(0, 1), crash(3, 2), crash(4, 100), crash(60, 1)]
  const items = [mark(4_500, 'edge-1', 'wakes')]
  t.same(chartOf(buildRun({ items, problems, faults }), {}).faults, [crash(3, 2), crash(4, 100)])
})
