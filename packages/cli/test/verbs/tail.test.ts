import t, { type Test } from 'tap'
import { exitCodes } from '../../src/exit-code.ts'
import { runProgram } from '../../src/run-program.ts'
import { startEdge } from '../fake-edge.ts'

const doc = 'acme/match/final'
const at = { doc, epoch: 1 }
const set = (value: number) => [{ op: 'add', path: '/n', value }]

const snapshot = { ...at, type: 'snapshot', seq: 7, position: 'p', view: { n: 7 } }
/** A step, a move to another view at the same place, being stale for a while, and a last step. */
const frames = [
  { ...at, type: 'delta', from: 7, seq: 9, time: 0, patch: set(9) },
  { ...at, type: 'delta', from: 9, seq: 9, time: 0, position: 'q', patch: set(0) },
  { type: 'status', doc, status: 'stale', since: 0, code: 'FANFOLD_RULE_FAILED' },
  { type: 'status', doc, status: 'live', since: 1 },
  { ...at, type: 'delta', from: 9, seq: 10, time: 0, patch: set(10) },
]

/** An edge that sends the snapshot, and the rest when that was shown. */
async function build(t: Test) {
  const edge = await startEdge(t, ({ type }) => (type === 'observe' ? [snapshot] : []))
  const { out } = edge.terminal
  const { write } = out
  out.write = async text => {
    out.write = write
    await write(text)
    edge.send(frames)
  }
  return edge
}

await t.test('tail shows a move to another view at the place where the view was', async t => {
  const { terminal, requests } = await build(t)
  const words = ['tail', doc, '--view-state', '{"page":2}', '--until-seq', '10']
  t.equal(await runProgram(words, terminal), exitCodes.ok)
  t.match(requests[0], { type: 'observe', viewState: { page: 2 } })
  t.same(terminal.stdout.split('\n'), [
    '1:7  snapshot of 8 bytes',
    '1:9  00:00:00.000  add /n  9',
    '1:9  00:00:00.000  another view',
    '1:9  00:00:00.000  add /n  0',
    '1:10  00:00:00.000  add /n  10',
    '',
  ])
  t.match(terminal.stderr, /stale: FANFOLD_RULE_FAILED, trying again\n.*live again\n/)
})

await t.test('a move to another view adjoins what was before and comes after', async t => {
  const { terminal } = await build(t)
  const words = ['tail', doc, '--until-seq', '10', '--json', '--hash']
  t.equal(await runProgram(words, terminal), exitCodes.ok)
  const lines = terminal.stdout.trim().split('\n')
  t.match(JSON.parse(lines.at(-1) ?? ''), { seq: 10, ranges: 'adjoin', changes: 4 })
  t.match(JSON.parse(lines[2] ?? ''), { kind: 'delta', from: 9, seq: 9 })
})

await t.test('tail asks for the rate that is given', async t => {
  const { terminal, requests } = await build(t)
  const words = ['tail', doc, '--max-rate', '2.5', '--until-seq', '10', '--quiet']
  t.equal(await runProgram(words, terminal), exitCodes.ok)
  t.match(requests[0], { type: 'observe', doc, maxRate: 2.5 })
})

await t.test('a rate that is none is a wrong command line', async t => {
  for (const rate of ['0', '1001', 'fast']) {
    const { terminal } = await build(t)
    t.equal(await runProgram(['tail', doc, '--max-rate', rate], terminal), exitCodes.usage)
    t.match(terminal.stderr, /--max-rate is a number over 0, at most 1000, .*\[FANFOLD_USAGE\]\n$/)
  }
})

await t.test('a view that comes in pieces is shown as one that does not', async t => {
  const pieces = [
    { ...at, type: 'snapshot-begin', seq: 7, pieces: 2, bytes: 20 },
    { type: 'snapshot-piece', doc, index: 0, pairs: [['', {}]] },
    { type: 'snapshot-piece', doc, index: 1, pairs: [['/n', 7]] },
    { type: 'snapshot-end', doc, position: 'p' },
  ]
  const shown = await Promise.all(
    [pieces, [snapshot]].map(async answer => {
      const { terminal } = await startEdge(t, ({ type }) => (type === 'observe' ? answer : []))
      const words = ['tail', doc, '--json', '--hash', '--until-seq', '7']
      t.equal(await runProgram(words, terminal), exitCodes.ok)
      return terminal.stdout
    }),
  )
  t.equal(shown[0], shown[1])
  t.match(shown[0], /"kind":"snapshot"/)
})
