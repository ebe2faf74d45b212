import t from 'tap'
import { exitCodes } from '../../src/exit-code.ts'
import { runProgram } from '../../src/run-program.ts'
import { startEdge } from '../fake-edge.ts'
import { FakeTerminal } from '../fake-terminal.ts'

const doc = 'acme/match/final'

await t.test('get asks for the view with the view state that is given', async t => {
  const { terminal, requests } = await startEdge(t, ({ type, viewState }) =>
    type === 'observe'
      ? [{ type: 'snapshot', doc, epoch: 1, seq: 7, position: 'p', view: { shown: viewState } }]
      : [],
  )
  const words = ['get', doc, '--view-state', '{"page":2}', '--json']
  t.equal(await runProgram(words, terminal), exitCodes.ok)
  t.same(requests[0], { type: 'observe', doc, viewState: { page: 2 } })
  t.same(JSON.parse(terminal.stdout), { epoch: 1, seq: 7, view: { shown: { page: 2 } } })
})

await t.test('a view state that the edge refuses ends it, with the code', async t => {
  const { terminal } = await startEdge(t, () => [
    { type: 'refused', doc, code: 'FANFOLD_INVALID_VIEW_STATE', message: 'page is a number' },
  ])
  const code = await runProgram(['get', doc, '--view-state', '{"page":"x"}'], terminal)
  t.equal(code, exitCodes.failed)
  t.match(terminal.stderr, /page is a number.* \[FANFOLD_INVALID_VIEW_STATE\]\n$/)
})

await t.test('a view state that is no JSON is a wrong command line', async t => {
  for (const verb of ['get', 'tail']) {
    const terminal = new FakeTerminal()
    t.equal(await runProgram([verb, doc, '--view-state', '{page'], terminal), exitCodes.usage)
    t.match(terminal.stderr, /--view-state must be JSON: .*\[FANFOLD_USAGE\]\n$/)
  }
})

await t.test('get shows a view that comes in pieces when it is whole', async t => {
  const { terminal } = await startEdge(t, ({ type }) =>
    type === 'observe'
      ? [
          { type: 'snapshot-begin', doc, epoch: 1, seq: 7, pieces: 2, bytes: 20 },
          { type: 'snapshot-piece', doc, index: 0, pairs: [['', {}]] },
          { type: 'snapshot-piece', doc, index: 1, pairs: [['/n', 7]] },
          { type: 'snapshot-end', doc, position: 'p' },
        ]
      : [],
  )
  t.equal(await runProgram(['get', doc, '--json'], terminal), exitCodes.ok)
  t.same(JSON.parse(terminal.stdout), { epoch: 1, seq: 7, view: { n: 7 } })
})
