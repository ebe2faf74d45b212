import t, { type Test } from 'tap'
import { runProgram } from '../../src/run-program.ts'
import { type AdminAnswer, startAdmin } from '../fake-admin.ts'
import { FakeTerminal } from '../fake-terminal.ts'

const ready: AdminAnswer = { status: 200, body: { ready: true, reasons: [] } }

/** What the command says of a node that answers so, and how it ends. */
async function statusOf(
  t: Test,
  health: object,
  readiness: AdminAnswer = ready,
): Promise<{ readonly code: number; readonly text: string; readonly json: unknown }> {
  const { url } = await startAdmin(t, request =>
    request === 'GET /healthz' ? { status: 200, body: health } : readiness,
  )
  const people = new FakeTerminal({ environment: { FANFOLD_ADMIN_URL: url } })
  const code = await runProgram(['status'], people)
  const program = new FakeTerminal({ environment: { FANFOLD_ADMIN_URL: url } })
  t.equal(await runProgram(['status', '--json'], program), code)
  return { code, text: people.stdout, json: JSON.parse(program.stdout) }
}

await t.test('a node that is well says what it is part of', async t => {
  const parts = [
    [{ mode: 'alone' }, 'ready, alone\n'],
    [{ mode: 'parents', parents: 2 }, 'ready, below 2 named parents\n'],
    [
      { mode: 'fleet', members: 5, fingerprint: '0123456789ab' },
      'ready, one of a fleet of 5, set to 0123456789ab\n',
    ],
    [{}, 'ready, of another version\n'],
  ] as const
  for (const [part, text] of parts) {
    const found = await statusOf(t, { status: 'ok', ...part })
    t.same(found, { code: 0, text, json: { status: 'ok', ...part, ready: true, reasons: [] } })
  }
})

await t.test('one that is not ready says why, and the command ends with 4', async t => {
  const reasons = ['draining', 'a proxy has no parent']
  const body = { ready: false, reasons }
  const found = await statusOf(t, { status: 'ok', mode: 'alone' }, { status: 503, body })
  t.equal(found.code, 4)
  t.equal(found.text, 'not ready, alone\n  draining\n  a proxy has no parent\n')
  t.match(found.json, { ready: false, reasons })
})

await t.test('one with documents that are suspect is ready, and not well', async t => {
  const health = { status: 'suspect', documentsSuspect: 2, mode: 'alone' }
  const { code, text } = await statusOf(t, health)
  t.equal(code, 4)
  t.equal(text, 'ready, alone\n  2 documents are not as they should be\n')
})

await t.test(
  'where nobody answers, or nobody knows, the command ends with what that is',
  async t => {
    const { url } = await startAdmin(t, () => undefined)
    t.equal(await runProgram(['status', '--admin-url', url], new FakeTerminal()), 3)
    const other = await startAdmin(t, () => ({ status: 404, body: {} }))
    t.equal(await runProgram(['status', '--admin-url', other.url], new FakeTerminal()), 1)
  },
)
