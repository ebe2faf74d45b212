import t from 'tap'
import { processCount, readBenchSettings, splitViewers } from '../../src/bench/bench-settings.ts'
import { exitCodes } from '../../src/exit-code.ts'
import { Options } from '../../src/options.ts'
import { Output } from '../../src/output.ts'
import { runProgram } from '../../src/run-program.ts'
import { FakeTerminal } from '../fake-terminal.ts'

const count = (over: {
  asked?: number
  viewers?: number
  descriptorsMax?: number
  processors?: number
}): number =>
  processCount({
    asked: undefined,
    viewers: 1_000,
    descriptorsMax: undefined,
    processors: 8,
    ...over,
  })

await t.test('half of the processors have a process of viewers, one at least', async t => {
  t.equal(count({}), 4)
  t.equal(count({ processors: 1 }), 1)
  t.equal(count({ asked: 3 }), 3)
  t.equal(count({ viewers: 2 }), 2, 'none without a viewer')
})

await t.test('there are as many processes as descriptors ask for', async t => {
  t.equal(count({ viewers: 5_000, descriptorsMax: 1_064 }), 5)
  t.equal(count({ viewers: 5_000, descriptorsMax: 1_063 }), 6)
  t.equal(count({ viewers: 1_000, descriptorsMax: 1_064, asked: 1 }), 1)
})

await t.test(
  'processes that may not have so many descriptors are refused, with what to do',
  async t => {
    t.throws(() => count({ viewers: 1_000, descriptorsMax: 1_063, asked: 1 }), {
      code: 'FANFOLD_USAGE',
      message:
        /1064 file descriptors .* 1063 are allowed: .*`ulimit -n 1064`, or give --processes 2$/,
    })
    t.throws(() => count({ viewers: 200_000, descriptorsMax: 64 }), { message: /ulimit -n/ })
  },
)

await t.test('each viewer is in one process, and each process has a replica', async t => {
  const watching = { doc: 'a/b/c', token: undefined, viewState: undefined, maxRate: undefined }
  const parts = splitViewers({
    urls: ['ws://a'],
    watching,
    viewers: 1_001,
    processes: 3,
    rampPerSecond: 300,
    durationMs: 1,
    timeoutMs: 1,
    settleMs: 1,
    writes: undefined,
    assertions: [],
  })
  t.same(
    parts.map(({ firstIndex, viewers, replicas, rampPerSecond }) => [
      firstIndex,
      viewers,
      replicas,
      rampPerSecond,
    ]),
    [
      [0, 333, 4, 100],
      [333, 334, 4, 100],
      [667, 334, 4, 100],
    ],
  )
})

await t.test('everything may be as large as its limit', async t => {
  const terminal = new FakeTerminal()
  const settings = await readBenchSettings(
    {
      arguments: ['a/b/c'],
      options: new Options({
        viewers: '200000',
        ramp: '20000',
        processes: '256',
        rate: '5000',
        duration: '24h',
        settle: '100ms',
        timeout: '1s',
        message: 'm',
        assert: ['p99<1s', 'missing=0'],
      }),
      output: new Output(terminal, { json: true, quiet: true }),
      terminal,
    },
    1_000,
  )
  t.match(settings, {
    urls: ['ws://127.0.0.1:9600'],
    viewers: 200_000,
    processes: 256,
    rampPerSecond: 20_000,
    durationMs: 86_400_000,
    settleMs: 100,
    writes: { url: 'ws://127.0.0.1:9600', message: 'm', perSecond: 5_000 },
    assertions: [{ metric: 'p99' }, { metric: 'missing' }],
  })
})

await t.test('what cannot be done is a wrong command line, before anything is started', async t => {
  const wrong: [string[], RegExp][] = [
    [['--viewers', '0'], /--viewers is a whole number from 1 to 200000/],
    [['--viewers', '200001'], /--viewers is a whole number from 1 to 200000/],
    [['--duration', '50ms'], /--duration is a duration/],
    [['--rate', '5001'], /--rate is a number over 0, at most 5000/],
    [['--ramp', '20001'], /--ramp is a whole number from 1 to 20000/],
    [['--processes', '257'], /--processes is a whole number from 1 to 256/],
    [['--assert', 'p98<3ms'], /names no metric \(p98\); metrics: viewers, .*p99/],
    [['--value', '{}'], /--value is the value of a --message/],
    [['--message', 'm', '--value', '{'], /--value must be JSON/],
    [['--url', 'ftp://x'], /a URL is ws, wss, http or https/],
  ]
  for (const [words, expected] of wrong) {
    const terminal = new FakeTerminal()
    t.equal(
      await runProgram(['bench', 'a/b/c', ...words], terminal),
      exitCodes.usage,
      words.join(' '),
    )
    t.match(terminal.stderr, expected)
  }
  const terminal = new FakeTerminal()
  t.equal(await runProgram(['bench', 'a/b'], terminal), exitCodes.usage)
  t.match(terminal.stderr, /<doc> is <tenant>/)
})
