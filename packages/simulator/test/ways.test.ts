import { instant, Prng } from '@fanfold/kernel'
import type { LinkInput } from '@fanfold/protocol'
import t from 'tap'
import type { LinkFault } from '../src/fault.ts'
import { Network } from '../src/network.ts'
import { Tally } from '../src/tally.ts'
import { VirtualClock } from '../src/virtual-clock.ts'
import { Ways } from '../src/ways.ts'

/** A child with a link to its parent, and what each of the two was told since. */
function linked(seed = 'ways') {
  const clock = new VirtualClock()
  const tally = new Tally()
  const ways = new Ways({ clock, prng: new Prng(seed), tally })
  let leftovers = 0
  const network = new Network({
    clock,
    prng: new Prng('network'),
    options: {
      delayMinLowMs: 1,
      delayMinHighMs: 1,
      delayMeanMs: 0,
      bytesPerSecondLow: 1_000_000,
      bytesPerSecondHigh: 1_000_000,
      bufferedBytesMax: 10_000,
      bufferedBytesCap: 1_000_000,
    },
    watch: {
      frameArrives: () => undefined,
      frameIsDamaged: () => undefined,
      frameIsLeftover: () => leftovers++,
      linkCloses: () => undefined,
    },
    ways,
  })
  const told: string[] = []
  const links = { child: 0, parent: 0 } as { child: LinkInput['link']; parent: LinkInput['link'] }
  const peer = (node: 'child' | 'parent') => ({
    identity: { node, incarnation: '1', region: 'here', roles: ['proxy'], ceiling: 1 },
    isUp: true,
    receive: (input: LinkInput) => {
      if (input.kind === 'link-opened') links[node] = input.link
      const what = input.kind === 'link-frame' ? `${input.frame.length} bytes` : input.kind
      const why = input.kind === 'link-closed' ? `, ${input.reason.split(':')[0]}` : ''
      told.push(`${Math.round(clock.now / 1000)} ${node} ${what}${why}`)
    },
  })
  const [child, parent] = [peer('child'), peer('parent')]
  const pass = (ms: number) => {
    clock.runUntil(instant(clock.now + ms * 1000))
    return told.splice(0)
  }
  const send = (from: 'child' | 'parent', bytes = 1) =>
    network.perform({ kind: 'link-send', link: links[from], frame: new Uint8Array(bytes) })
  const dial = () => network.connect(child, parent)
  const fault = (kind: 'cut' | 'sever' | 'silence', from = 'parent', to = 'child') => {
    const begun = { kind, from, to, atMs: 0, forMs: 100 } as LinkFault
    ways.begin(begun)
    return () => ways.end(begun)
  }
  dial()
  pass(100)
  return { clock, network, ways, tally, pass, send, dial, fault, leftovers: () => leftovers }
}

t.test('a cut holds up one direction, and what was sent goes on when it ends', async t => {
  const { pass, send, fault } = linked()
  const end = fault('cut')
  send('parent', 7)
  send('child', 5)
  t.same(pass(200), ['101 parent 5 bytes'])
  end()
  t.match(pass(200), [/ child 7 bytes/])
  send('parent', 6)
  t.match(pass(200), [/ child 6 bytes/], 'it is as before')
})

t.test('an end that hears nothing for a second closes, and tells the other if it can', async t => {
  const { pass, fault, tally } = linked()
  fault('cut')
  t.same(pass(700), [])
  const [first = '', second = '', ...more] = pass(500)
  t.match(first, / child link-closed, silent/)
  t.match(second, / parent link-closed, silent/)
  t.same(more, [])
  t.equal(tally.count('silence noticed'), 1)
})

t.test('a link that was cut twice for a while each was never silent for long', async t => {
  const { pass, fault } = linked()
  for (let count = 0; count < 5; count++) {
    const end = fault('cut')
    pass(300)
    end()
    pass(100)
  }
  t.same(pass(5_000), [])
})

t.test('a dial hangs while either direction is cut, and is given up in the end', async t => {
  const { pass, fault, dial } = linked()
  const end = fault('cut', 'child', '*')
  pass(3_000)
  dial()
  t.same(pass(4_900), [])
  t.match(pass(300), [/child link-closed, no-answer/])
  dial()
  t.same(pass(1_000), [])
  end()
  t.match(pass(100), [/parent link-opened/, /child link-opened/])
})

t.test(
  'a link that is severed is over at both ends, each at its time; a new one works',
  async t => {
    for (let seed = 0; seed < 30; seed++) {
      const { pass, fault, dial, send } = linked(`${seed}`)
      fault('sever', '*', 'parent')
      const told: string[] = []
      for (let count = 0; count < 4; count++) {
        send('parent', 500)
        told.push(...pass(1))
        send('child', 500)
      }
      told.push(...pass(4_000))
      const closes = told.filter(line => line.includes('closed'))
      t.equal(closes.length, 2, closes.join())
      t.ok(closes.some(line => line.includes('lost')))
      for (const node of ['child', 'parent']) {
        const ownLast = told.filter(line => line.includes(`${node} `)).at(-1) ?? ''
        t.match(ownLast, /closed/, 'nothing comes after the close')
      }
      dial()
      t.match(pass(100), [/parent link-opened/, /child link-opened/])
    }
  },
)

t.test('what comes late of a severed link may meet the one that has taken its place', async t => {
  let met = 0
  for (let seed = 0; seed < 60; seed++) {
    const { pass, fault, dial, send, leftovers } = linked(`${seed}`)
    fault('sever')
    send('child', 100)
    const before = pass(0.5)
    send('parent', 4_000)
    const isOver = [...before, ...pass(100)].some(line => line.includes('child link-closed'))
    if (!isOver) continue
    dial()
    pass(3_000)
    met += leftovers()
  }
  t.ok(met > 0)
})

t.test('a link that falls silent carries nothing any more; both ends find out', async t => {
  const { pass, fault, send, dial } = linked()
  fault('silence')
  send('parent')
  send('child')
  t.same(pass(700), [])
  dial()
  t.same(
    pass(50).map(line => line.replace(/\d+ /, '')),
    ['parent link-opened', 'child link-opened'],
    'a new link works',
  )
  send('parent', 3)
  const told = pass(5_000).map(line => line.replace(/\d+ /, ''))
  t.same(told.sort(), ['child 3 bytes', 'child link-closed, silent', 'parent link-closed, silent'])
})

t.test('a delay is added, and one that is longer than an end waits closes the link', async t => {
  for (const [byMs, isTooLong] of [
    [500, false],
    [2_000, true],
  ] as const) {
    const { pass, ways, send } = linked()
    ways.begin({ kind: 'delay', from: 'parent', to: 'child', atMs: 0, forMs: 9_000, byMs })
    send('parent', 3)
    const told = pass(3_000).join()
    t.equal(told.includes('601 child 3 bytes'), !isTooLong)
    t.equal(told.includes('silent'), isTooLong)
  }
})

t.test('a slow link trickles, is congested, and is not silent', async t => {
  const { pass, ways, send } = linked()
  const slow = { from: '*', to: 'child', atMs: 0, forMs: 9_000, bytesPerSecond: 2_000 } as const
  const fault: LinkFault = { kind: 'slow-link', ...slow }
  ways.begin(fault)
  send('parent', 8_000)
  send('parent', 8_000)
  t.same(pass(3_000), ['100 parent link-congested'])
  t.same(pass(2_000), ['4100 parent link-drained', '4101 child 8000 bytes'].slice(1))
  ways.end(fault)
  t.match(pass(100), [/parent link-drained/, /child 8000 bytes/])
})

t.test('a node refuses, or gives no answer', async t => {
  const { pass, ways, dial } = linked()
  const refuse: LinkFault = { kind: 'refuse', node: 'parent', atMs: 0, forMs: 100 }
  const hole: LinkFault = { kind: 'black-hole', node: '*', atMs: 0, forMs: 100 }
  ways.begin(refuse)
  dial()
  t.match(pass(100), [/child link-closed, refused/])
  ways.begin(hole)
  dial()
  t.same(pass(4_900), [])
  t.match(pass(200), [/child link-closed, no-answer/])
  ways.end(hole)
  ways.end(refuse)
  dial()
  t.match(pass(100), [/parent link-opened/, /child link-opened/])
})

t.test('a node that pauses is silent to the others, who are not so to it', async t => {
  const { pass, network, dial } = linked()
  const paused = { identity: { node: 'parent' } } as Parameters<Network['pause']>[0]
  network.pause(paused)
  pass(500)
  network.resume(paused)
  t.same(pass(2_000), [])
  network.pause(paused)
  t.match(pass(1_100), [/child link-closed, silent/, /parent link-closed, silent/])
  dial()
  t.same(pass(1_000), [])
  network.resume(paused)
  t.match(pass(100), [/parent link-opened/, /child link-opened/])
})

t.test('when all is healed links go on, or break if they carry nothing any more', async t => {
  const { pass, ways, fault, send } = linked()
  fault('cut', '*', '*')
  send('parent', 2)
  ways.heal()
  t.match(pass(100), [/child 2 bytes/])
  fault('silence')
  ways.heal()
  t.match(
    pass(2_100)
      .map(line => line.split(' ').slice(1).join(' '))
      .sort(),
    [/child link-closed/, /parent link-closed/],
  )
})

t.test('the same seed makes the same of a fault', async t => {
  const story = (seed: string) => {
    const { pass, fault, send } = linked(seed)
    fault('sever')
    for (let count = 0; count < 20; count++) send('parent', 400)
    return pass(3_000)
  }
  t.same(story('one'), story('one'))
})
