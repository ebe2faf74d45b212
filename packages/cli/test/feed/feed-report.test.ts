import t from 'tap'
import { FeedReport } from '../../src/feed/feed-report.ts'

await t.test('the first five malformed lines are named, in their order', async t => {
  const report = new FeedReport()
  for (const number of [9, 3, 7, 1, 12, 5, 11]) report.addMalformed(number, 'is not JSON')
  t.equal(report.malformed, 7)
  t.same(
    report.malformedLines.map(({ line }) => line),
    [1, 3, 5, 7, 9],
  )
  t.match(report.text(1), /\n {2}line 1: is not JSON\n/)
  t.match(report.text(1), /\n {2}and 2 more$/)
})

await t.test('the end has all the numbers', async t => {
  const report = new FeedReport()
  Object.assign(report, { lines: 10, sent: 8, skipped: 2, epoch: 1, seq: 9, reached: 10 })
  t.equal(report.text(2), '10 lines: 8 sent, 2 skipped, 0 malformed; seq 9, 2.0 s, 4 lines/s')
  t.same(report.summary(1.23456), {
    lines: 10,
    sent: 8,
    skipped: 2,
    malformed: 0,
    malformedLines: [],
    seconds: 1.235,
    epoch: 1,
    seq: 9,
    reached: 10,
  })
})
