import { sha256 } from '@fanfold/conformance'
import { instant } from '@fanfold/kernel'
import t from 'tap'
import type { NodeFault } from '../src/node-fault.ts'
import { completeOptions } from '../src/simulation-options.ts'
import { World } from '../src/world.ts'

const lasting = { node: 'authority', atMs: 0, forMs: 2_000 }
const moment = { side: 'before', what: 'link-opened', count: 1 } as const

/** All that happens here, which a world is told before. */
const faults: readonly NodeFault[] = [
  { kind: 'crash', ...lasting },
  { kind: 'drain', ...lasting },
  { kind: 'crash-at', ...lasting, ...moment },
  { kind: 'pause', ...lasting },
  { kind: 'slow', ...lasting, inputMicros: 100 },
  { kind: 'wall-clock', ...lasting, byMs: 9_000, driftShare: 0 },
  { kind: 'disk-full', ...lasting },
]

/** A world of three nodes in which nobody does anything, and faults that come and go in it. */
function makeWorld() {
  const options = completeOptions({ proxies: 1, edges: 1, viewers: 0, writes: 0, faults })
  const world = new World('faults', options, sha256)
  const { node } = world.authority
  const pass = (ms: number) => world.clock.runUntil(instant(world.clock.now + ms * 1_000))
  pass(500)
  return { world, node, pass }
}

t.test('a node that crashes is gone until that is over, and starts with nothing', async t => {
  const { world, node, pass } = makeWorld()
  const before = world.authority.made
  const fault: NodeFault = { kind: 'crash', ...lasting }
  world.begin(fault)
  t.notOk(node.isUp)
  pass(1_000)
  world.endOf(fault)
  t.ok(node.isUp)
  t.equal(node.incarnation, 2)
  t.not(world.authority.made, before)
  pass(2_000)
  t.equal(world.authority.made.machine.childCount, 1, 'the proxy has dialled again')
})

t.test('a node that is drained does what it has begun, and goes then', async t => {
  const { world, node, pass } = makeWorld()
  let losses = 0
  world.authority.answerTo({ answered: () => undefined, lost: () => losses++ })
  const fault: NodeFault = { kind: 'drain', ...lasting }
  world.begin(fault)
  t.ok(node.isUp)
  t.notOk(node.isListening, 'nobody new is let in')
  t.equal(losses, 1, 'writers hear of it')
  pass(249)
  t.ok(node.isUp, 'children have a moment to be elsewhere')
  pass(2)
  t.notOk(node.isUp)
  world.endOf(fault)
  t.ok(node.isListening)
  t.equal(node.incarnation, 2)
})

t.test('a drain that is over before its node is gone starts the node anew', async t => {
  const { world, node, pass } = makeWorld()
  const fault: NodeFault = { kind: 'drain', ...lasting }
  world.begin(fault)
  pass(100)
  world.endOf(fault)
  t.equal(node.incarnation, 1)
  pass(200)
  t.ok(node.isListening)
  t.equal(node.incarnation, 2)
})

t.test('of two crashes at once each ends what it began', async t => {
  const { world, node } = makeWorld()
  const [long, short]: NodeFault[] = [
    { kind: 'crash', ...lasting },
    { kind: 'crash', ...lasting },
  ]
  if (long === undefined || short === undefined) return
  world.begin(long)
  world.begin(short)
  world.endOf(short)
  t.ok(node.isUp)
  world.endOf(long)
  t.equal(node.incarnation, 2)
})

t.test('a node crashes amid its work when it comes to that, and not after the fault', async t => {
  for (const isInTime of [true, false]) {
    const { world, node, pass } = makeWorld()
    const fault: NodeFault = { kind: 'crash-at', ...lasting, ...moment }
    world.begin(fault)
    if (!isInTime) world.endOf(fault)
    const restart: NodeFault = { kind: 'crash', node: 'proxy-0', atMs: 0, forMs: 1 }
    world.begin(restart)
    world.endOf(restart)
    pass(1_000)
    t.equal(node.isUp, !isInTime)
    if (!isInTime) continue
    t.equal(world.tally.count('authority ended before link-opened'), 1)
    world.endOf(fault)
    t.ok(node.isUp)
  }
})

t.test('a pause stops what a process does, and ends with the process', async t => {
  const { world, node } = makeWorld()
  const fault: NodeFault = { kind: 'pause', ...lasting }
  world.begin(fault)
  t.ok(node.processor.isPaused)
  const crash: NodeFault = { kind: 'crash', ...lasting }
  world.begin(crash)
  world.endOf(crash)
  t.notOk(node.processor.isPaused, 'another process is not paused')
  world.endOf(fault)
  t.notOk(node.processor.isPaused)
  world.begin(fault)
  world.endOf(fault)
  t.notOk(node.processor.isDelaying)
})

t.test('a slow process is slow until that is over', async t => {
  const { world, node } = makeWorld()
  const fault: NodeFault = { kind: 'slow', ...lasting, inputMicros: 100 }
  world.begin(fault)
  t.ok(node.processor.isDelaying)
  world.endOf(fault)
  t.notOk(node.processor.isDelaying)
})

t.test('clocks and disks are those of one node', async t => {
  const { world, node } = makeWorld()
  const clock: NodeFault = { kind: 'wall-clock', ...lasting, byMs: 9_000, driftShare: 0 }
  const disk: NodeFault = { kind: 'disk-full', ...lasting }
  world.begin(clock)
  world.begin(disk)
  t.equal(world.wallMs('authority') - world.wallMs('edge-0'), 9_000)
  t.ok(node.disk.isFull)
  world.endOf(clock)
  world.endOf(disk)
  t.equal(world.wallMs('authority'), world.wallMs('edge-0'))
  t.notOk(node.disk.isFull)
})

t.test('a fault of a node that there is not is our bug', async t => {
  const { world } = makeWorld()
  t.throws(() => world.begin({ kind: 'crash', ...lasting, node: 'proxy-9' }), /proxy-9/)
})
