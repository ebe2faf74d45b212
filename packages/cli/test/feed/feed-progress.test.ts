import t from 'tap'
import { progressText, RateMeter, showProgress } from '../../src/feed/feed-progress.ts'
import { FeedReport } from '../../src/feed/feed-report.ts'
import { Output } from '../../src/output.ts'
import { FakeTerminal } from '../fake-terminal.ts'

await t.test('progress says how much is read and which line is reached', async t => {
  const report = new FeedReport()
  report.reached = 7
  t.equal(
    progressText({ bytes: 50, report }, 200, 12),
    '25% read, line 7 reached, 0 malformed, 12 lines/s',
  )
  t.match(progressText({ bytes: 0, report }, 0, 0), /^100% read/)
})

await t.test('the rate is that since the last look', async t => {
  const meter = new RateMeter(1_000)
  t.equal(meter.rate(500, 2_000), 500)
  t.equal(meter.rate(600, 2_500), 200)
  t.equal(meter.rate(600, 2_500), 0)
})

await t.test('quiet shows nothing and leaves nothing behind', async t => {
  const terminal = new FakeTerminal()
  const stop = showProgress({
    bytesTotal: 1,
    position: () => ({ bytes: 0, report: new FeedReport() }),
    output: new Output(terminal, { json: false, quiet: true }),
    stream: undefined,
  })
  stop()
  t.equal(terminal.stderr, '')
})
