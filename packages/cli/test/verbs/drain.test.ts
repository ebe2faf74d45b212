import t from 'tap'
import { runProgram } from '../../src/run-program.ts'
import { type AdminAnswer, startAdmin } from '../fake-admin.ts'
import { FakeTerminal } from '../fake-terminal.ts'

const state = {
  node: 'proxy-1',
  incarnation: 'a',
  isDraining: true,
  viewers: 7,
  children: 3,
  documents: 2,
  deadlineMs: 1_000,
}

/** An admin port that begins to go, and is then what the test says, look by look. */
const going =
  (looks: AdminAnswer[]) =>
  (request: string): AdminAnswer =>
    request.startsWith('POST') ? { status: 202, body: state } : looks.shift()

await t.test('a node is asked to go, and waited for until nobody answers', async t => {
  const still = { status: 200, body: state }
  const { url, requests } = await startAdmin(t, going([still, still]))
  const terminal = new FakeTerminal()
  const words = ['drain', '--admin-url', `${url}/`, '--admin-token', 'secret']
  t.equal(await runProgram(words, terminal), 0)
  t.match(terminal.stdout, /^proxy-1 is gone after 400 ms; it had 7 viewers, 3 streams/)
  t.same(requests[0], 'POST /admin/drain Bearer secret')
  t.equal(requests.filter(line => line.startsWith('GET')).length >= 3, true)
})

await t.test('one that a supervisor has started again is gone too', async t => {
  const other = { status: 200, body: { ...state, incarnation: 'b', isDraining: false } }
  const { url } = await startAdmin(t, going([other]))
  const terminal = new FakeTerminal({ environment: { FANFOLD_ADMIN_URL: url } })
  t.equal(await runProgram(['drain', '--json'], terminal), 0)
  t.match(JSON.parse(terminal.stdout), { node: 'proxy-1', gone: true, viewers: 7 })
})

await t.test('without waiting it is enough that it has begun', async t => {
  const { url, requests } = await startAdmin(t, going([]))
  const terminal = new FakeTerminal()
  t.equal(await runProgram(['drain', '--admin-url', url, '--no-wait'], terminal), 0)
  t.match(terminal.stdout, /^proxy-1 goes: 7 viewers/)
  t.equal(requests.length, 1)
})

await t.test('one that stays longer than it may is told', async t => {
  const { url } = await startAdmin(t, request =>
    request.startsWith('POST') ? { status: 202, body: state } : { status: 200, body: state },
  )
  const terminal = new FakeTerminal()
  t.equal(await runProgram(['drain', '--admin-url', url], terminal), 1)
  t.match(terminal.stderr, /proxy-1 is still there after 3\d00 ms/)
})

await t.test('what an admin port refuses, or what is none, is an error with its code', async t => {
  const refused = { code: 'FANFOLD_UNAUTHORIZED', message: 'an admin token' }
  const guarded = await startAdmin(t, () => ({ status: 401, body: refused }))
  const terminal = new FakeTerminal()
  t.not(await runProgram(['drain', '--admin-url', guarded.url], terminal), 0)
  t.match(terminal.stderr, /an admin token.*FANFOLD_UNAUTHORIZED/)
  const nobody = new FakeTerminal()
  t.equal(await runProgram(['drain', '--admin-url', 'http://127.0.0.1:1'], nobody), 3)
  t.match(nobody.stderr, /cannot reach .*give the --admin-url of a node that runs/)
  const wrong = new FakeTerminal()
  t.equal(await runProgram(['drain', '--admin-url', 'ftp://x'], wrong), 2)
  const other = await startAdmin(t, () => ({ status: 200, body: [] }))
  const strange = new FakeTerminal()
  t.equal(await runProgram(['drain', '--admin-url', other.url], strange), 1)
  t.match(strange.stderr, /is it an admin port/)
})
