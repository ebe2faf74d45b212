import { type Duration, encodeUtf8, instant, milliseconds, Prng } from '@fanfold/kernel'
import type { CohortId, Grants, TransferId, ViewerId, ViewerInput } from '@fanfold/protocol'
import t from 'tap'
import { ViewerRim } from '../src/viewer-rim.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const grants: Grants = {
  subject: 'viewer',
  tenant: undefined,
  documents: ['**'],
  allow: ['observe'],
  expiresAtMs: undefined,
  claims: {},
}
const cohort = 1 as CohortId
const viewer = 1 as ViewerId

/** A rim with one viewer on it, 1 ms away, that takes in 1,000 bytes a second. */
function makeRim(budgetBytes = 100) {
  const clock = new VirtualClock()
  const inputs: ViewerInput[] = []
  const received: string[] = []
  const rim = new ViewerRim({
    clock,
    prng: new Prng('rim'),
    budgetBytes,
    receive: input => inputs.push(input),
  })
  const connection = rim.connect(
    {
      opened: () => received.push('opened'),
      received: frame => received.push(`${frame.length}`),
      closed: reason => received.push(reason),
      unauthorized: reason => received.push(reason),
      lost: reason => received.push(reason),
    },
    { delayMin: milliseconds(1), delayMean: 0 as Duration, bytesPerSecond: 1_000 },
    grants,
  )
  const pass = (ms: number) => clock.runUntil(instant(clock.now + ms * 1000))
  pass(2)
  const kinds = () => inputs.map(({ kind }) => kind)
  return { clock, rim, inputs, kinds, received, connection, pass }
}

const frame = (bytes: number) => encodeUtf8('x'.repeat(bytes))
const send = (bytes: number) => ({ kind: 'viewer-send' as const, viewer, frame: frame(bytes) })
const sendAll = (bytes: number, mark = 0) => ({
  kind: 'cohort-send' as const,
  cohort,
  frame: frame(bytes),
  mark,
})
const signal = (bytes: number, key = 'status') => ({
  kind: 'viewer-signal' as const,
  viewer,
  key,
  frame: frame(bytes),
})

t.test('a viewer opens, asks and closes', async t => {
  const { inputs, kinds, connection, received, pass } = makeRim()
  connection.send('{"type":"leave","doc":"acme/match/final"}')
  connection.close()
  pass(1_000)
  t.same(kinds(), ['viewer-opened', 'viewer-requested', 'viewer-closed'])
  t.match(inputs[1], { viewer, request: { type: 'leave' } })
  t.same(received, ['opened'])
})

t.test('frames to a cohort reach its members, in order with what is theirs alone', async t => {
  const { rim, received, pass } = makeRim()
  rim.perform(sendAll(1))
  rim.perform(send(2))
  rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  rim.perform(sendAll(3))
  rim.perform(send(4))
  rim.perform({ kind: 'cohort-exit', cohort, viewer })
  rim.perform(sendAll(5))
  pass(1_000)
  t.same(received, ['opened', '2', '3', '4'])
})

t.test(
  'a viewer over its budget loses its seat, and the edge hears when it has drained',
  async t => {
    const { rim, inputs, kinds, received, pass } = makeRim(100)
    rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 1 })
    rim.perform(sendAll(100, 2))
    rim.perform(sendAll(1, 3))
    t.equal(rim.lags, 0)
    rim.perform(sendAll(2, 4))
    rim.perform(sendAll(3, 5))
    t.equal(rim.lags, 1)
    pass(50)
    t.same(kinds(), ['viewer-opened'])
    pass(1_000)
    t.same(inputs.at(-1), { kind: 'viewer-drained', viewer, cohorts: [{ cohort, mark: 3 }] })
    t.same(received, ['opened', '100', '1'])
    rim.perform(sendAll(4))
    rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
    rim.perform(sendAll(5))
    pass(1_000)
    t.same(received.slice(3), ['5'])
  },
)

t.test('a viewer that leaves a cohort while it lags is not told of as drained', async t => {
  const { rim, kinds, pass } = makeRim(0)
  rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  rim.perform(sendAll(100))
  rim.perform(sendAll(1))
  rim.perform({ kind: 'cohort-exit', cohort, viewer })
  pass(1_000)
  t.same(kinds(), ['viewer-opened'])
})

t.test('nothing else is read while a token is looked at', async t => {
  const { inputs, kinds, connection, pass } = makeRim()
  const token = JSON.stringify({ ...grants, subject: 'another' })
  connection.send(JSON.stringify({ type: 'authenticate', token }))
  connection.send('{"type":"leave","doc":"acme/match/final"}')
  pass(1_000)
  t.same(kinds(), ['viewer-opened', 'viewer-renewed', 'viewer-requested'])
  t.match(inputs[1], { viewer, grants: { subject: 'another' } })
})

t.test('a viewer is told when its token has ended, and is closed', async t => {
  const { clock, kinds, connection, received, pass } = makeRim(1_000)
  const show = (expiresAtMs: number | undefined) => {
    const token = JSON.stringify({ ...grants, expiresAtMs })
    connection.send(JSON.stringify({ type: 'authenticate', token }))
  }
  show(clock.wallMs + 10_000)
  pass(9_000)
  t.same(kinds(), ['viewer-opened', 'viewer-renewed'])
  show(clock.wallMs + 10_000)
  pass(9_000)
  t.same(kinds().slice(2), ['viewer-renewed'], 'by the token of now')
  pass(5_000)
  t.same(kinds().slice(3), ['viewer-closed'])
  t.match(received.at(-1), /FANFOLD_UNAUTHORIZED: the token has ended and was not renewed/)
})

t.test('one that comes with a token that has ended is not let in', async t => {
  const { clock, rim, kinds, pass } = makeRim()
  const told: string[] = []
  rim.connect(
    {
      opened: () => told.push('opened'),
      received: () => told.push('frame'),
      closed: reason => told.push(reason),
      unauthorized: () => told.push('unauthorized'),
      lost: reason => told.push(reason),
    },
    { delayMin: milliseconds(1), delayMean: 0 as Duration, bytesPerSecond: 1_000 },
    { ...grants, expiresAtMs: clock.wallMs },
  )
  pass(1_000)
  t.same(told, ['opened', 'frame', 'unauthorized'])
  t.same(kinds(), ['viewer-opened'], 'the one before')
})

t.test('a viewer moves to another cohort with a frame of its own, in order', async t => {
  const other = 9 as CohortId
  const { rim, received, pass } = makeRim()
  rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  rim.perform(sendAll(1))
  rim.perform({ kind: 'cohort-move', viewer, from: cohort, to: other, frame: frame(2), mark: 0 })
  rim.perform(sendAll(3))
  rim.perform({ kind: 'cohort-send', cohort: other, frame: frame(4), mark: 0 })
  rim.perform({ kind: 'cohort-move', viewer, from: other, to: cohort, frame: undefined, mark: 0 })
  rim.perform(sendAll(5))
  pass(1_000)
  t.same(received, ['opened', '1', '2', '4', '5'])
})

t.test('a viewer that lags and is moved gets no frame, and drains in its new cohort', async t => {
  const other = 9 as CohortId
  const { rim, inputs, received, pass } = makeRim(0)
  rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  rim.perform(sendAll(100))
  rim.perform(sendAll(1))
  rim.perform({ kind: 'cohort-move', viewer, from: cohort, to: other, frame: frame(2), mark: 0 })
  pass(1_000)
  t.same(inputs.at(-1), {
    kind: 'viewer-drained',
    viewer,
    cohorts: [{ cohort: other, mark: undefined }],
  })
  t.same(received, ['opened', '100'])
})

t.test('nothing is read from a viewer that holds more than its budget', async t => {
  const { rim, kinds, connection, pass } = makeRim(100)
  rim.perform(send(500))
  connection.send('{"type":"leave","doc":"acme/match/final"}')
  pass(300)
  t.same(kinds(), ['viewer-opened'])
  pass(300)
  t.same(kinds(), ['viewer-opened', 'viewer-requested'])
})

t.test('a viewer that the edge closes gets what was sent before, and then the reason', async t => {
  const { rim, kinds, received, pass } = makeRim()
  rim.perform(send(7))
  rim.perform({ kind: 'viewer-close', viewer, code: 'FANFOLD_FORBIDDEN', message: 'why' })
  rim.perform(send(8))
  t.same(kinds(), ['viewer-opened'])
  pass(1_000)
  t.same(received, ['opened', '7', 'FANFOLD_FORBIDDEN: why'])
  t.same(kinds(), ['viewer-opened', 'viewer-closed'])
})

t.test(
  'a viewer that has drained and is moved before it is seated is told of as drained again',
  async t => {
    const other = 9 as CohortId
    const { rim, inputs, pass } = makeRim(0)
    rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
    rim.perform(sendAll(10))
    rim.perform(sendAll(1))
    pass(1_000)
    t.same(inputs.at(-1), { kind: 'viewer-drained', viewer, cohorts: [{ cohort, mark: 0 }] })
    rim.perform({ kind: 'cohort-move', viewer, from: cohort, to: other, frame: frame(2), mark: 0 })
    pass(1)
    t.same(inputs.at(-1), {
      kind: 'viewer-drained',
      viewer,
      cohorts: [{ cohort: other, mark: undefined }],
    })
  },
)

t.test('a viewer that lags and is moved to where it is keeps its mark', async t => {
  const { rim, inputs, pass } = makeRim(0)
  rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 1 })
  rim.perform(sendAll(100, 2))
  rim.perform(sendAll(1, 3))
  const move = { kind: 'cohort-move', viewer, from: cohort, to: cohort, frame: frame(2) } as const
  rim.perform({ ...move, mark: 4 })
  pass(1_000)
  t.same(inputs.at(-1), { kind: 'viewer-drained', viewer, cohorts: [{ cohort, mark: 2 }] })
  rim.perform({ ...move, mark: 5 })
  pass(1_000)
  t.same(inputs.at(-1), { kind: 'viewer-drained', viewer, cohorts: [{ cohort, mark: 2 }] })
})

t.test('a viewer that lags gets the latest signal of each key, once it is led on', async t => {
  const { rim, received, pass } = makeRim(0)
  rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  rim.perform(signal(1))
  pass(10)
  rim.perform(sendAll(100))
  rim.perform(sendAll(2))
  rim.perform(signal(3))
  rim.perform({ kind: 'cohort-signal', cohort, key: 'other', frame: frame(4) })
  rim.perform({ kind: 'cohort-signal', cohort, key: 'status', frame: frame(5) })
  pass(1_000)
  t.same(received, ['opened', '1', '100'])
  rim.perform(send(6))
  rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  pass(1_000)
  t.same(received.slice(3), ['6', '4', '5'])
})

t.test('a signal that is void does not reach a viewer any more', async t => {
  const { rim, received, pass } = makeRim(0)
  rim.perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  rim.perform(sendAll(100))
  rim.perform(sendAll(2))
  rim.perform(signal(3))
  rim.perform(signal(4, 'other'))
  rim.perform({ kind: 'cohort-exit', cohort, viewer })
  rim.perform({ kind: 'signal-end', viewer, key: 'status' })
  rim.perform(send(5))
  pass(1_000)
  t.same(received, ['opened', '100', '5', '4'])
})

t.test('a transfer goes as there is room, and what goes meanwhile goes between', async t => {
  const transfer = 1 as TransferId
  const { rim, inputs, received, pass } = makeRim(100)
  rim.perform({ kind: 'viewer-transfer', viewer, transfer, frames: [90, 80, 70].map(frame) })
  pass(1)
  rim.perform(send(1))
  t.same(inputs.length, 1)
  pass(1_000)
  t.same(received, ['opened', '90', '1', '80', '70'])
  t.same(inputs.at(-1), { kind: 'viewer-transferred', viewer, transfer })
})

t.test('a transfer that is ended sends no more, and is not told of', async t => {
  const transfer = 1 as TransferId
  const { rim, kinds, received, pass } = makeRim(100)
  rim.perform({ kind: 'viewer-transfer', viewer, transfer, frames: [90, 80, 70].map(frame) })
  pass(1)
  rim.perform({ kind: 'transfer-end', viewer, transfer })
  pass(1_000)
  t.same(received, ['opened', '90'])
  t.same(kinds(), ['viewer-opened'])
})
