import { sha256 } from '@fanfold/conformance'
import { encodeUtf8, instant, milliseconds, Prng } from '@fanfold/kernel'
import type { Grants, ViewerId } from '@fanfold/protocol'
import t from 'tap'
import { FrameCheck } from '../src/frame-check.ts'
import { ModelViewer } from '../src/model-viewer.ts'
import { Trace } from '../src/trace.ts'
import { ViewerRim } from '../src/viewer-rim.ts'
import { Ways } from '../src/ways.ts'
import { buildWorld, doc, looker } from './build-world.ts'

/** A viewer of a document that stands at its first state, with two edges to go to. */
function makeViewer(ending?: 'deleted', later: readonly Partial<Grants>[] = []) {
  const { clock, problems, oracle } = buildWorld({}, [{ title: 'one' }], ending)
  const ways = new Ways({ clock, prng: new Prng('ways') })
  const told: string[] = []
  const openAt = (name: string) => {
    let newest: ViewerId | undefined
    const rim = new ViewerRim({
      clock,
      prng: new Prng(name),
      budgetBytes: 10_000,
      receive: input => {
        if (input.kind === 'viewer-opened') newest = input.viewer
        told.push(`${name} ${input.kind === 'viewer-requested' ? input.request.type : input.kind}`)
      },
      watch: new FrameCheck({ edge: name, ceiling: 239, clock, oracle, problems }),
      ways,
      name,
    })
    /** Sends a frame to who came last. */
    const send = (frame: object) => {
      if (newest === undefined) return
      rim.perform({
        kind: 'viewer-send',
        viewer: newest,
        frame: encodeUtf8(JSON.stringify({ doc, ...frame })),
      })
    }
    return { name, rim, ceiling: 239, send }
  }
  const doors = [openAt('edge-0'), openAt('edge-1')] as const
  const first = looker(0).grants
  const endsAtMs = later.length > 0 ? clock.wallMs + 5_000 : undefined
  const tokens = [{ ...first, expiresAtMs: endsAtMs }, ...later.map(one => ({ ...first, ...one }))]
  const viewer = new ModelViewer({
    name: 'viewer-0',
    clock,
    trace: new Trace(sha256),
    problems,
    oracle,
    docs: [doc],
    tokens,
    profile: { delayMin: milliseconds(1), delayMean: milliseconds(1), bytesPerSecond: 100_000 },
    mayBeLarge: false,
    doors,
    prng: new Prng('viewer'),
  })
  const pass = (ms: number) => {
    clock.runUntil(instant(clock.now + ms * 1_000))
    return told.splice(0)
  }
  return { viewer, doors, ways, problems, pass }
}

const shown = {
  type: 'snapshot',
  epoch: 1,
  seq: 2,
  position: 'here',
  view: { title: 'one' },
} as const

t.test('a viewer that has lost its connection observes again from where it was', async t => {
  const { viewer, doors, ways, problems, pass } = makeViewer()
  const [first] = doors
  viewer.connect(first)
  t.same(pass(100), ['edge-0 viewer-opened', 'edge-0 observe'])
  first.send(shown)
  pass(100)
  t.equal(viewer.lagging, undefined)
  ways.begin({ kind: 'sever', from: '*', to: 'viewer-0', atMs: 0 })
  const told = pass(5_000)
  t.match(viewer.lagging, /it has no view|not answered yet/)
  t.same(told.slice(-2), ['edge-1 viewer-opened', 'edge-1 observe'], 'at the next address')
  doors[1].send(shown)
  pass(100)
  t.equal(viewer.lagging, undefined)
  t.same(problems.messages, [])
})

t.test('it dials each address in turn until one lets it in', async t => {
  const { viewer, doors, ways, pass } = makeViewer()
  const [first, second] = doors
  viewer.connect(first)
  pass(100)
  second.rim.end()
  ways.begin({ kind: 'sever', from: '*', to: 'viewer-0', atMs: 0 })
  const told = pass(30_000).filter(line => line.endsWith('viewer-opened'))
  t.same(told, ['edge-0 viewer-opened'], 'edge-1 refuses it')
})

t.test('while nobody lets it in it is not done', async t => {
  const { viewer, doors, pass } = makeViewer()
  for (const { rim } of doors) rim.end()
  viewer.connect(doors[0])
  t.same(pass(30_000), [])
  t.match(viewer.lagging, /not connected/)
})

t.test('who has asked once more may be refused once more, and no more often', async t => {
  const { viewer, doors, problems, pass } = makeViewer()
  const [door] = doors
  viewer.connect(door)
  pass(100)
  const refused = { type: 'refused', message: 'no' }
  door.send({ ...refused, code: 'FANFOLD_OVERLOADED', retryAfter: 100 })
  t.same(pass(200), ['edge-0 observe'], 'it asks again')
  const unasked = () => problems.messages.filter(message => /does not observe/.test(message))
  for (let count = 0; count < 2; count++) door.send({ ...refused, code: 'FANFOLD_ABOVE_CEILING' })
  pass(100)
  t.same(unasked(), [])
  door.send({ ...refused, code: 'FANFOLD_ABOVE_CEILING' })
  pass(100)
  t.equal(unasked().length, 1)
})

t.test('it does not come back once it has left, however late it hears of the loss', async t => {
  const { viewer, doors, ways, pass } = makeViewer()
  viewer.connect(doors[0])
  pass(100)
  ways.begin({ kind: 'sever', from: '*', to: 'viewer-0', atMs: 0 })
  viewer.disconnect()
  const told = pass(30_000)
  t.notOk(told.some(line => line.endsWith('viewer-opened')))
})

t.test('who was sent elsewhere while it waited stays there', async t => {
  const { viewer, doors, ways, pass } = makeViewer()
  const [first, second] = doors
  viewer.connect(first)
  pass(100)
  first.rim.end()
  ways.begin({ kind: 'sever', from: '*', to: 'viewer-0', atMs: 0 })
  viewer.connect(second)
  const told = pass(30_000)
  const opened = told.filter(line => line.endsWith('viewer-opened'))
  t.same(opened, ['edge-1 viewer-opened'])
})

t.test(
  'its next token is shown on the connection, and frames are for who it is by then',
  async t => {
    const { viewer, doors, problems, pass } = makeViewer(undefined, [{ documents: [] }, {}])
    const [door] = doors
    viewer.connect(door)
    pass(100)
    door.send(shown)
    pass(100)
    viewer.renew()
    t.same(pass(100), ['edge-0 viewer-renewed'])
    t.match(viewer.lagging, /may not see it any more/)
    door.send({ type: 'refused', code: 'FANFOLD_FORBIDDEN', message: 'not yours' })
    t.same(pass(1_000), [], 'it knows that it may not ask')
    t.equal(viewer.lagging, undefined)
    viewer.renew()
    t.same(pass(1_000), ['edge-0 viewer-renewed', 'edge-0 observe'])
    door.send(shown)
    pass(100)
    t.equal(viewer.lagging, undefined)
    viewer.renew()
    t.same(pass(100), [], 'there is no other')
    t.same(problems.messages, [])
  },
)

t.test('of a document that its token does not allow it is sent nothing', async t => {
  const { viewer, doors, problems, pass } = makeViewer(undefined, [{ documents: [] }, {}])
  const [door] = doors
  viewer.connect(door)
  pass(100)
  door.send(shown)
  viewer.renew()
  pass(100)
  door.send({ type: 'status', status: 'live', since: 0 })
  pass(100)
  t.match(problems.messages, [/a status of .* to s0, whose token does not allow it/])
})

t.test('who is closed because its token has ended comes back with the next one', async t => {
  const { viewer, doors, problems, pass } = makeViewer(undefined, [{}])
  viewer.connect(doors[0])
  pass(100)
  const told = pass(20_000)
  t.same(told.slice(0, 2), ['edge-0 viewer-closed', 'edge-1 viewer-opened'])
  t.notOk(told.slice(2).includes('edge-1 viewer-closed'))
  t.same(problems.messages, [])
})

t.test('who is told that a document was deleted has what it is owed', async t => {
  for (const told of [
    { type: 'left', reason: 'deleted' },
    { type: 'refused', code: 'FANFOLD_DELETED', message: 'gone' },
  ]) {
    const { viewer, doors, problems, pass } = makeViewer('deleted')
    const [door] = doors
    viewer.connect(door)
    pass(100)
    t.match(viewer.lagging, /it was deleted/)
    door.send(told)
    t.same(pass(1_000), [], 'it asks no more')
    t.equal(viewer.lagging, undefined)
    t.same(problems.messages, [])
  }
})

t.test('that a document was deleted which was not is a problem', async t => {
  const { viewer, doors, problems, pass } = makeViewer()
  viewer.connect(doors[0])
  pass(100)
  doors[0].send({ type: 'left', reason: 'deleted' })
  pass(100)
  t.match(problems.messages, [/was deleted, which it is not/])
})

t.test('who is leaving a document that is deleted still waits for its answer', async t => {
  const { viewer, doors, problems, pass } = makeViewer('deleted')
  const [door] = doors
  viewer.connect(door)
  pass(100)
  viewer.want(doc, false)
  door.send({ type: 'left', reason: 'deleted' })
  t.same(pass(100), ['edge-0 leave'])
  t.match(viewer.lagging, /about to change/)
  door.send({ type: 'left', reason: 'asked' })
  pass(100)
  t.equal(viewer.lagging, undefined)
  t.same(problems.messages, [])
})
