import { FanfoldError } from '@fanfold/client'
import t from 'tap'
import { FeedReport } from '../../src/feed/feed-report.ts'
import type { OutgoingLine } from '../../src/feed/ordered-sender.ts'
import {
  lineBytesMax,
  lineId,
  type PlayOptions,
  playRecording,
  refusalReason,
} from '../../src/feed/play-recording.ts'
import type { RawLine } from '../../src/feed/recording-lines.ts'
import { VirtualClock } from '../fake-terminal.ts'

async function* rawLines(texts: (string | undefined)[]): AsyncGenerator<RawLine> {
  for (const [index, text] of texts.entries()) {
    yield { number: index + 1, bytes: text === undefined ? undefined : Buffer.from(text) }
  }
}

async function play(texts: (string | undefined)[], overrides: Partial<PlayOptions> = {}) {
  const report = new FeedReport()
  const added: OutgoingLine[] = []
  let isFinished = false
  await playRecording({
    lines: rawLines(texts),
    sender: {
      add: async line => {
        added.push(line)
      },
      finish: async () => {
        isFinished = true
      },
    },
    report,
    clock: new VirtualClock(),
    speed: 'max',
    fromLine: 1,
    valueField: undefined,
    signal: new AbortController().signal,
    ...overrides,
  })
  t.equal(isFinished, true)
  return { report, added }
}

await t.test('lines are sent under their numbers, useless ones counted', async t => {
  const { report, added } = await play(['{"a":1}', 'x', '', undefined, '{"a":2}'])
  t.same(added, [
    { number: 1, value: { a: 1 }, bytes: 7 },
    { number: 5, value: { a: 2 }, bytes: 7 },
  ])
  t.match(report, { lines: 5, skipped: 1, malformed: 2 })
  t.same(report.malformedLines, [
    { line: 2, reason: 'is not JSON' },
    { line: 4, reason: `has more than ${lineBytesMax} bytes` },
  ])
})

await t.test('lines before the first to send are skipped', async t => {
  const { report, added } = await play(['{"a":1}', 'x', '{"a":3}'], { fromLine: 3 })
  t.same(
    added.map(({ number }) => number),
    [3],
  )
  t.match(report, { lines: 3, skipped: 2, malformed: 0 })
})

await t.test('a signal ends the reading, and what is under way is finished', async t => {
  const abort = new AbortController()
  const sent: number[] = []
  const report = new FeedReport()
  await playRecording({
    lines: rawLines(['{"a":1}', '{"a":2}', '{"a":3}']),
    sender: {
      add: async ({ number }) => {
        sent.push(number)
        if (number === 2) abort.abort()
      },
      finish: async () => undefined,
    },
    report,
    clock: new VirtualClock(),
    speed: 1,
    fromLine: 1,
    valueField: 'a',
    signal: abort.signal,
  })
  t.same(sent, [1, 2])
  t.equal(report.lines, 2)
})

await t.test('ids name the play and the line, reasons the code', async t => {
  t.equal(lineId('abc', 7), 'abc:7')
  t.equal(lineId('abc', 'initial'), 'abc:initial')
  t.equal(
    refusalReason(new FanfoldError('FANFOLD_INVALID_VALUE', 'no')),
    'FANFOLD_INVALID_VALUE: no',
  )
  t.equal(refusalReason('x'), 'x')
})
