import { type Duration, encodeUtf8, instant, milliseconds, Prng } from '@fanfold/kernel'
import type { Grants, ViewerInput } from '@fanfold/protocol'
import t from 'tap'
import type { LinkFault } from '../src/fault.ts'
import { ViewerRim } from '../src/viewer-rim.ts'
import { VirtualClock } from '../src/virtual-clock.ts'
import { Ways } from '../src/ways.ts'

const grants: Grants = {
  subject: 'v',
  tenant: undefined,
  documents: ['**'],
  allow: ['observe'],
  claims: {},
  expiresAtMs: undefined,
}

/** A viewer that connects to an edge, and what the two were told. */
function connected(seed = 'viewer ways') {
  const clock = new VirtualClock()
  const ways = new Ways({ clock, prng: new Prng(seed) })
  const told: string[] = []
  const say = (what: string) => told.push(what)
  const inputs: ViewerInput[] = []
  const rim = new ViewerRim({
    clock,
    prng: new Prng('rim'),
    budgetBytes: 100_000,
    receive: input => {
      inputs.push(input)
      say(`edge ${input.kind}`)
    },
    ways,
    name: 'edge-1',
  })
  const connect = () =>
    rim.connect(
      {
        opened: () => say('viewer opened'),
        received: frame => say(`viewer ${frame.length} bytes`),
        closed: reason => say(`viewer closed ${reason}`),
        unauthorized: reason => say(reason),
        lost: reason => say(`viewer lost ${reason.split(':')[0]}`),
      },
      { delayMin: milliseconds(1), delayMean: 0 as Duration, bytesPerSecond: 100_000 },
      grants,
      'viewer-3',
    )
  const pass = (ms: number) => {
    clock.runUntil(instant(clock.now + ms * 1000))
    return told.splice(0)
  }
  const send = (bytes: number) => {
    const viewer = inputs.find(({ kind }) => kind === 'viewer-opened')?.viewer
    if (viewer === undefined) return
    rim.perform({ kind: 'viewer-send', viewer, frame: encodeUtf8('x'.repeat(bytes)) })
  }
  const fault = (kind: 'cut' | 'sever' | 'silence', from: string, to: string) => {
    const begun = { kind, from, to, atMs: 0, forMs: 100 } as LinkFault
    ways.begin(begun)
    return () => ways.end(begun)
  }
  return { rim, ways, connect, pass, send, fault }
}

t.test('a viewer that is cut off gets everything later, and notices nothing', async t => {
  const { connect, pass, send, fault } = connected()
  connect()
  t.same(pass(100), ['edge viewer-opened', 'viewer opened'])
  const end = fault('cut', 'edge-1', 'viewer-3')
  send(10)
  t.same(pass(20_000), [])
  end()
  t.same(pass(200), ['viewer 10 bytes'])
})

t.test('a connection that breaks is lost at both ends', async t => {
  for (let seed = 0; seed < 20; seed++) {
    const { connect, pass, send, fault } = connected(`${seed}`)
    connect()
    pass(100)
    fault('sever', '*', 'viewer-3')
    for (let count = 0; count < 20; count++) send(1_000)
    const told = pass(5_000)
    t.same(told.filter(line => !line.endsWith('bytes')).sort(), [
      'edge viewer-closed',
      'viewer lost lost',
    ])
    t.ok(told.filter(line => line.endsWith('bytes')).length <= 20)
    t.equal(told.filter(line => line.startsWith('viewer')).at(-1), 'viewer lost lost')
  }
})

t.test('an edge closes a viewer that it hears nothing of; the viewer does not notice', async t => {
  const { connect, pass, send, fault } = connected()
  connect()
  pass(100)
  fault('silence', 'viewer-3', '*')
  send(5)
  t.same(pass(15_000), [])
  t.same(pass(16_000), ['edge viewer-closed'])
})

t.test('a viewer that has left is told nothing, nor is it heard', async t => {
  for (const kind of ['cut', 'sever', 'silence'] as const) {
    const { connect, pass, fault } = connected()
    const connection = connect()
    pass(100)
    fault(kind, '*', '*')
    connection.close()
    t.notOk(pass(40_000).some(line => line.startsWith('viewer')))
  }
})

t.test('an edge that cannot be reached, refuses or does not answer is not had', async t => {
  const { connect, pass, ways, fault } = connected()
  const end = fault('cut', 'viewer-3', '*')
  connect()
  t.same(pass(9_900), [])
  t.same(pass(200), ['viewer lost no-answer'])
  end()
  const node = { node: 'edge-1', atMs: 0, forMs: 1 } as const
  const refuse: LinkFault = { kind: 'refuse', ...node }
  ways.begin(refuse)
  connect()
  t.ok(pass(100).includes('viewer lost refused'))
  ways.end(refuse)
  ways.begin({ kind: 'black-hole', ...node })
  connect()
  t.same(pass(9_000), [])
  t.same(pass(1_100), ['viewer lost no-answer'])
})

t.test('the viewers of an edge that ends are lost, and it lets nobody in', async t => {
  const { rim, connect, pass } = connected()
  connect()
  pass(100)
  rim.end()
  t.same(pass(100), ['viewer lost lost'])
  connect()
  t.same(pass(100), ['viewer lost refused'])
  t.same(rim.counts, { viewers: 0, cohorts: 0 })
})

t.test('an edge that is about to go sends all away, and lets in nobody', async t => {
  const { rim, connect, pass, send } = connected()
  connect()
  pass(100)
  send(10)
  rim.drain()
  t.same(pass(100), ['edge viewer-closed', 'viewer 10 bytes', 'viewer lost draining'])
  connect()
  t.same(pass(1_000), ['viewer lost refused'])
})
