import { encodeUtf8, instant } from '@fanfold/kernel'
import { type CohortId, decodeViewerRequest, type ViewerId } from '@fanfold/protocol'
import t from 'tap'
import { FrameCheck } from '../src/frame-check.ts'
import { buildWorld, doc, looker } from './build-world.ts'

const viewer = 1 as ViewerId
const cohort = 7 as CohortId
const secret = 'mkcccccccccccc'
const state = { title: 'a', vault: { gold: '', notes: {} }, teams: {} }

/** An edge whose viewer sees all but the vault, into which the secret comes with seq 3, a title with 4. */
function makeCheck(isEntryLate = false) {
  const world = buildWorld({ privacy: [{ pattern: '/vault', kind: 'premium', note: '' }] }, [
    state,
    { ...state, vault: { gold: secret, notes: {} } },
    { ...state, title: 'b', vault: { gold: secret, notes: {} } },
  ])
  const { clock, oracle, problems } = world
  const check = new FrameCheck({
    edge: 'edge',
    ceiling: 239,
    clock,
    oracle,
    problems,
    isEntryLate,
  })
  check.viewerOpens(viewer, looker(0).grants)
  const ask = (request: object) =>
    check.viewerAsks(viewer, decodeViewerRequest(JSON.stringify({ doc, ...request })))
  ask({ type: 'observe' })
  const send = (frame: object, to?: CohortId) =>
    check.frameGoes(viewer, encodeUtf8(JSON.stringify({ doc, epoch: 1, ...frame })), to)
  const pass = () => clock.runUntil(instant(clock.now + 1_000))
  return { check, problems, ask, send, pass }
}

const delta = (from: number, seq: number, patch: unknown[]) => ({ type: 'delta', from, seq, patch })
const title = { op: 'replace', path: '/title', value: 'b' }

t.test('a marker that is for others is a problem in any frame', async t => {
  const { problems, send } = makeCheck()
  send({ type: 'snapshot', seq: 3, view: { title: 'a' } })
  t.same(problems.messages, [])
  send({ type: 'snapshot', seq: 3, view: { vault: { gold: secret } } })
  send(
    delta(2, 3, [
      { op: 'add', path: `/${Buffer.from(`x${secret}`).toString('base64')}`, value: 1 },
    ]),
  )
  send({ type: 'refused', code: 'FANFOLD_FORBIDDEN', message: `not ${secret}` })
  t.match(problems.messages, [
    /the snapshot at 3 .* to s0 has mkc/,
    /the delta 2 to 3 .* has mkc/,
    /a refused .* has mkc/,
  ])
})

t.test('a marker in a position is a problem when it was planted, and chance when not', async t => {
  const { problems, send } = makeCheck()
  send({ type: 'snapshot', seq: 3, position: `2.${secret.replace('c', 'd')}`, view: {} })
  t.same(problems.messages, [])
  send({ type: 'snapshot', seq: 3, position: `2.${secret}`, view: {} })
  t.match(problems.messages, [/the snapshot at 3 .* has mkc/])
})

t.test('a cohort is told nothing of what changes nothing for it', async t => {
  const { problems, send, pass } = makeCheck()
  send(delta(3, 4, [title]), cohort)
  pass()
  t.same(problems.messages, [])
  send(delta(2, 3, [{ op: 'test', path: '/title', value: 'a' }]), cohort)
  t.match(problems.messages, [/the delta 2 to 3 .* to a cohort changes nothing/])
})

t.test('an empty delta is for the sake of somebody who comes in the same turn', async t => {
  const { check, problems, send, pass } = makeCheck()
  send(delta(2, 3, []), cohort)
  check.cohortMoves(cohort)
  pass()
  t.same(problems.messages, [])
  send(delta(2, 3, []), cohort)
  pass()
  t.match(problems.messages, [/changes nothing for it/])
})

t.test('who crashes before the turn is done need not have done the rest of it', async t => {
  const { check, problems, send, pass } = makeCheck()
  send(delta(2, 3, []), cohort)
  check.processEnds()
  pass()
  t.same(problems.messages, [])
})

t.test('where entry is late an empty delta is for the sake of somebody who is due', async t => {
  const { check, problems, ask, send, pass } = makeCheck(true)
  send({ type: 'status', status: 'live' })
  send({ type: 'refused', code: 'FANFOLD_NO_PARENT', retryAfter: 1 })
  send(delta(2, 3, []), cohort)
  ask({ type: 'viewState', viewState: { page: 2 } })
  send(delta(2, 3, []), cohort)
  check.viewerIsBehind(viewer)
  send(delta(2, 3, []), cohort)
  pass()
  t.same(problems.messages, [])
  send(delta(2, 3, []), cohort)
  pass()
  t.match(problems.messages, [/changes nothing for it/])
})

t.test(
  'a frame is of the view that was asked for before, until the viewer is told something',
  async t => {
    const { ask, send } = makeCheck()
    const viewState = { page: 2 }
    ask({ type: 'viewState', viewState })
    t.match(send(delta(3, 4, [title]), cohort), { viewState: undefined })
    t.match(send(delta(4, 4, [])), { viewState })
    ask({ type: 'viewState', viewState: { page: 'x' } })
    t.match(send({ type: 'refused', code: 'FANFOLD_INVALID_VIEW_STATE' }), { viewState })
    t.match(send(delta(4, 4, [])), { viewState })
  },
)

t.test(
  'a view that is refused does not take the place of one that is still to be shown',
  async t => {
    const { ask, send } = makeCheck()
    const viewState = { page: 2 }
    ask({ type: 'viewState', viewState })
    ask({ type: 'viewState', viewState: { page: 'x' } })
    t.match(send({ type: 'refused', code: 'FANFOLD_INVALID_VIEW_STATE' }), { viewState: undefined })
    t.match(send(delta(4, 4, [])), { viewState })
  },
)

t.test('what goes out behind another token is for who shows it', async t => {
  const { check, problems, send, pass } = makeCheck()
  const [before, now] = [looker(2).grants, looker(0).grants]
  check.viewerRenews(viewer, before, false)
  const vault = { vault: { gold: secret } }
  t.match(send({ type: 'snapshot', seq: 3, view: vault }), { looker: { grants: before } })
  t.same(problems.messages, [])
  check.viewerRenews(viewer, now, false)
  const remove = { op: 'remove', path: '/vault' }
  t.match(send(delta(3, 3, [remove])), { looker: { grants: now } })
  pass()
  t.same(problems.messages, [])
  send(delta(3, 4, [title, { op: 'add', path: '/title', value: secret }]))
  t.match(problems.messages, [/the delta 3 to 4 .* has mkc/])
})

t.test('what it had as somebody else may be named to be taken away, and is not told', async t => {
  const { check, problems, send } = makeCheck()
  check.viewerRenews(viewer, looker(2).grants, false)
  send({ type: 'snapshot', seq: 3, view: { vault: { gold: secret } } })
  check.viewerRenews(viewer, looker(0).grants, false)
  send(delta(3, 3, [{ op: 'remove', path: `/vault/${secret}` }]))
  t.same(problems.messages, [])
  check.viewerRenews(viewer, looker(2).grants, false)
  send({ type: 'snapshot', seq: 3, view: { vault: { gold: secret } } })
  check.viewerRenews(viewer, looker(0).grants, false)
  send(delta(3, 3, [{ op: 'replace', path: '/title', value: secret }]))
  t.match(problems.messages, [/the delta 3 to 3 .* has mkc/])
})

t.test('its cohort of before may only lead it to where it becomes somebody else', async t => {
  const { check, problems, send, pass } = makeCheck()
  const [before, now] = [looker(2).grants, looker(0).grants]
  check.viewerRenews(viewer, before, false)
  send({ type: 'snapshot', seq: 3, view: { vault: { gold: secret } } })
  check.viewerRenews(viewer, now, false)
  t.match(send(delta(3, 4, []), cohort), { looker: { grants: before } })
  t.match(send(delta(4, 4, [{ op: 'remove', path: '/vault' }])), { looker: { grants: now } })
  pass()
  t.same(problems.messages, [])
  check.viewerRenews(viewer, before, false)
  send(delta(4, 4, [{ op: 'add', path: '/vault', value: {} }]))
  check.viewerRenews(viewer, now, false)
  send(delta(4, 4, []), cohort)
  pass()
  t.match(problems.messages, [/the delta 4 to 4 .* of before/])
})

t.test('who lagged may be told that a place is empty where something came and went', async t => {
  const note = 'mkdddddddddddd'
  const notes = { ...state, vault: { gold: '', notes: { [note]: 'a' } } }
  for (const kind of ['everybody', 'premium'] as const) {
    const { clock, oracle, problems } = buildWorld(
      { privacy: [{ pattern: '/vault', kind, note: '' }] },
      [state, notes, state],
    )
    const check = new FrameCheck({ edge: 'edge', ceiling: 239, clock, oracle, problems })
    check.viewerOpens(viewer, looker(0).grants)
    check.viewerAsks(viewer, decodeViewerRequest(JSON.stringify({ doc, type: 'observe' })))
    const path = `/vault/notes/${note}`
    const patch = [
      { op: 'add', path, value: null },
      { op: 'remove', path },
    ]
    check.frameGoes(viewer, encodeUtf8(JSON.stringify({ doc, ...delta(2, 4, patch) })), undefined)
    t.equal(problems.messages.length, kind === 'everybody' ? 0 : 1, kind)
    const value = [{ op: 'add', path: '/title', value: note }]
    check.frameGoes(viewer, encodeUtf8(JSON.stringify({ doc, ...delta(2, 4, value) })), undefined)
    t.match(problems.messages.at(-1), /the delta 2 to 4 .* has mkd/, 'and is not told what it was')
  }
})
