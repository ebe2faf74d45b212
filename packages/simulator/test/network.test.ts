import { testLinkPort } from '@fanfold/conformance'
import { instant, Prng } from '@fanfold/kernel'
import type { LinkInput } from '@fanfold/protocol'
import t from 'tap'
import { Network, type NetworkOptions } from '../src/network.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const options: NetworkOptions = {
  delayMinLowMs: 1,
  delayMinHighMs: 1,
  delayMeanMs: 0,
  bytesPerSecondLow: 100_000_000,
  bytesPerSecondHigh: 100_000_000,
  bufferedBytesMax: 1_048_576,
  bufferedBytesCap: 4_194_304,
}

function makeNetwork(overrides: Partial<NetworkOptions> = {}) {
  const clock = new VirtualClock()
  const frames: number[] = []
  const closes: string[] = []
  const network = new Network({
    clock,
    prng: new Prng('network'),
    options: { ...options, ...overrides },
    watch: {
      frameArrives: frame => frames.push(frame.length),
      frameIsDamaged: () => undefined,
      frameIsLeftover: () => undefined,
      linkCloses: reason => closes.push(reason),
    },
  })
  return { clock, network, frames, closes }
}

const makePeer = (node: string, receive: (input: LinkInput) => void) => ({
  identity: { node, incarnation: `${node}-1`, region: 'here', roles: ['proxy'], ceiling: 1 },
  isUp: true,
  receive,
})

testLinkPort(t, async reports => {
  const { clock, network } = makeNetwork()
  const dialler = makePeer('dialler', reports.dialler)
  const listener = makePeer('listener', reports.listener)
  let isOpen = true
  const pump = () => {
    if (!isOpen) return
    clock.runUntil(instant(clock.now + 1_000))
    setImmediate(pump)
  }
  setImmediate(pump)
  return {
    dialler: network,
    listener: network,
    dial: () => network.connect(dialler, listener),
    stall: () => network.stall(),
    unstall: () => network.unstall(),
    close: async () => {
      isOpen = false
    },
  }
})

t.test('those who watch see each frame once, and each close', async t => {
  const { clock, network, frames, closes } = makeNetwork()
  const peer = makePeer('peer', () => undefined)
  const link = network.connect(peer, peer)
  clock.runUntil(instant(100_000))
  network.perform({ kind: 'link-send', link, frame: new Uint8Array(7) })
  clock.runUntil(instant(200_000))
  t.same(frames, [7])
  network.perform({ kind: 'link-close', link, code: 'FANFOLD_BAD_FRAME', message: 'why' })
  clock.runUntil(instant(300_000))
  t.same(closes, ['FANFOLD_BAD_FRAME: why'])
})

t.test('a link is congested past its limit and drained below half of it', async t => {
  const { clock, network } = makeNetwork({
    bufferedBytesMax: 1_000,
    bytesPerSecondLow: 1_000,
    bytesPerSecondHigh: 1_000,
  })
  const told: string[] = []
  const dialler = makePeer('dialler', input => told.push(`${clock.now} ${input.kind}`))
  const link = network.connect(
    dialler,
    makePeer('listener', () => undefined),
  )
  clock.runUntil(instant(3_000))
  for (let index = 0; index < 5; index++) {
    network.perform({ kind: 'link-send', link, frame: new Uint8Array(250) })
  }
  t.equal(network.congestions, 1)
  clock.runUntil(instant(10_000_000))
  // 1,250 bytes are unsent at first; at 1,000 a second, fewer than 500 after four of five frames.
  t.same(told, ['3000 link-opened', '3000 link-congested', '1003000 link-drained'])
})

t.test('a link that has drained before its node was told is not called congested', async t => {
  const { clock, network } = makeNetwork({
    bufferedBytesMax: 14,
    bytesPerSecondLow: 1_000,
    bytesPerSecondHigh: 1_000,
  })
  const told: string[] = []
  const dialler = makePeer('dialler', input => told.push(input.kind))
  const link = network.connect(
    dialler,
    makePeer('listener', () => undefined),
  )
  clock.runUntil(instant(3_000))
  const send = (bytes: number) =>
    network.perform({ kind: 'link-send', link, frame: new Uint8Array(bytes) })
  // Right before the first frame is out, in the same microsecond.
  clock.at(instant(13_000), () => send(6))
  send(10)
  clock.runUntil(instant(100_000))
  t.equal(network.congestions, 1)
  t.same(told, ['link-opened'])
})

t.test(
  'nobody is told of the links of a node that is gone but those at their other ends',
  async t => {
    const { clock, network } = makeNetwork()
    const told: string[] = []
    const dialler = makePeer('dialler', input => told.push(`dialler ${input.kind}`))
    const listener = makePeer('listener', input => told.push(`listener ${input.kind}`))
    const link = network.connect(dialler, listener)
    clock.runUntil(instant(10_000))
    network.perform({ kind: 'link-close', link, code: 'FANFOLD_MOVED', message: 'why' })
    network.connect(dialler, listener)
    clock.runUntil(instant(20_000))
    told.length = 0
    network.drop(listener)
    network.drop(listener)
    clock.runUntil(instant(30_000))
    t.same(told, ['dialler link-closed'])
  },
)

t.test('a node that is down refuses, and so does one that goes while it is dialled', async t => {
  const { clock, network } = makeNetwork()
  const told: string[] = []
  const dialler = makePeer('dialler', input => told.push(`dialler ${input.kind}`))
  const listener = makePeer('listener', input => told.push(`listener ${input.kind}`))
  network.connect(dialler, { ...listener, isUp: false })
  clock.runUntil(instant(10_000))
  t.same(told, ['dialler link-closed'])
  network.connect(dialler, listener)
  network.drop(listener)
  clock.runUntil(instant(20_000))
  t.same(told, ['dialler link-closed', 'dialler link-closed'])
})

t.test('a signal on a congested link waits, and the latest of its key goes', async t => {
  const { clock, network, frames } = makeNetwork({
    bufferedBytesMax: 100,
    bytesPerSecondLow: 1_000,
    bytesPerSecondHigh: 1_000,
  })
  const peer = makePeer('peer', () => undefined)
  const link = network.connect(
    peer,
    makePeer('other', () => undefined),
  )
  clock.runUntil(instant(10_000))
  const signal = (bytes: number) =>
    network.perform({ kind: 'link-signal', link, key: 'head', frame: new Uint8Array(bytes) })
  signal(1)
  network.perform({ kind: 'link-send', link, frame: new Uint8Array(200) })
  signal(2)
  signal(3)
  clock.runUntil(instant(10_000_000))
  t.same(frames, [1, 200, 3])
})
