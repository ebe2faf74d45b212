/* `fanfold bench` at an edge that says what a test has it say; its viewers are processes of their own. */
import t, { type Test } from 'tap'
import { exitCodes } from '../../src/exit-code.ts'
import { runProgram } from '../../src/run-program.ts'
import { startEdge } from '../fake-edge.ts'
import { FakeTerminal } from '../fake-terminal.ts'

const doc = 'acme/match/final'
const at = { doc, epoch: 1 }
const snapshot = { type: 'snapshot', ...at, seq: 4, position: 'p', view: { n: 4 } }
const delta = (from: number, seq: number) => {
  const patch = [{ op: 'add', path: '/n', value: seq }]
  return { type: 'delta', ...at, from, seq, time: Date.now(), patch }
}

/** Runs it against an edge that answers each observe with these frames. */
async function run(t: Test, frames: readonly object[], ...more: readonly string[]) {
  const { terminal } = await startEdge(t, ({ type }) => (type === 'observe' ? frames : []))
  const { environment } = terminal
  const real = new FakeTerminal({
    environment,
    clock: {
      now: () => performance.now(),
      wallClock: () => Date.now(),
      wait: ms => new Promise(resolve => setTimeout(resolve, ms)),
    },
  })
  const words = ['bench', doc, '--viewers', '6', '--processes', '2', '--duration', '100ms']
  const code = await runProgram([...words, '--settle', '2s', '--quiet', ...more], real)
  return { code, stdout: real.stdout, stderr: real.stderr }
}

await t.test('viewers that are sent what they should be are no violation', async t => {
  const { code, stdout, stderr } = await run(t, [snapshot, delta(4, 5), delta(5, 7)], '--json')
  t.equal(code, exitCodes.ok, stderr)
  t.match(JSON.parse(stdout), { connected: 6, replicas: 2, missing: 0, violations: 0 })
})

await t.test(
  'a gap is found in every process, and ends it with 4 whatever was asserted',
  async t => {
    const { code, stdout } = await run(
      t,
      [snapshot, delta(6, 7)],
      '--json',
      '--assert',
      'viewers=6',
    )
    t.equal(code, exitCodes['check-failed'])
    const { violations, violationTexts, assertions } = JSON.parse(stdout)
    t.ok(violations >= 6, `${violations} violations`)
    t.match(violationTexts.join('\n'), /gap: a delta from 6 to 7 for a viewer at 1:4/)
    t.match(assertions, [{ assertion: 'viewers=6', seen: 6, ok: true }])
  },
)

await t.test('an assertion that does not hold ends it with 4, and is told', async t => {
  const { code, stdout } = await run(
    t,
    [snapshot],
    '--assert',
    'deliveries>0',
    '--assert',
    'missing=0',
  )
  t.equal(code, exitCodes['check-failed'])
  t.match(stdout, /\nFAILED expected deliveries>0, saw 0\nok missing=0 \(0\)\n$/)
})

await t.test('viewers that are refused are told with the code, and end it with 3', async t => {
  const refused = { type: 'refused', doc, code: 'FANFOLD_NO_DOCUMENT', message: 'none' }
  const { code, stderr } = await run(t, [refused])
  t.equal(code, exitCodes.unreachable)
  t.match(stderr, /no viewer was shown the document .*FANFOLD_NO_DOCUMENT/)
})

await t.test('viewers whose edge says that it is cut off are not up to date', async t => {
  const { code, stdout, stderr } = await run(
    t,
    [snapshot, { type: 'status', doc, status: 'stale', since: 0 }],
    '--json',
  )
  t.equal(code, exitCodes.unreachable)
  t.match(JSON.parse(stdout), { stale: 6, violations: 0 })
  t.match(stderr, /no viewer was up to date in the end/)
})
