import { createLog } from '@fanfold/node'
import t from 'tap'
import { failNode, stopNode, untilInterrupted } from '../src/run-node.ts'
import { FakeTerminal } from './fake-terminal.ts'

function build() {
  const lines: string[] = []
  const destination = { write: (line: string) => lines.push(line) }
  const log = createLog({ level: 'info', node: 'n', region: 'r', destination })
  return { terminal: new FakeTerminal(), log, lines }
}

await t.test('a failure is a fatal line, and ends the process with 70', async t => {
  const { terminal, log, lines } = build()
  failNode(terminal, () => log)(new Error('in doubt'))
  t.match(JSON.parse(lines[0] ?? ''), { level: 'fatal', event: 'node.failed' })
  t.same(terminal.exits, [70])
})

await t.test('a node runs until a signal', async t => {
  const { terminal } = build()
  const ended = untilInterrupted(terminal)
  terminal.interruption.abort()
  await t.resolves(ended)
  await t.resolves(untilInterrupted(terminal), 'also when the signal came before')
})

await t.test('a node that stops in time ends with 0, a late one is ended', async t => {
  const { terminal, log, lines } = build()
  const deadlineMs = 1_000
  t.equal(await stopNode(async () => undefined, { terminal, deadlineMs, log }), 0)
  t.same(terminal.exits, [])
  const never = () => new Promise<void>(() => undefined)
  t.equal(await stopNode(never, { terminal, deadlineMs, log }), 1)
  t.same(terminal.exits, [1])
  t.match(JSON.parse(lines[0] ?? ''), { event: 'node.drain-late', deadlineMs })
})
