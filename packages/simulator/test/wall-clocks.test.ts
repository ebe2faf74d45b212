import { instant } from '@fanfold/kernel'
import t from 'tap'
import type { WallClockFault } from '../src/node-fault.ts'
import { VirtualClock } from '../src/virtual-clock.ts'
import { WallClocks } from '../src/wall-clocks.ts'

t.test('the clock of a node jumps, goes wrong and comes back, and no other one does', async t => {
  const clock = new VirtualClock()
  const clocks = new WallClocks(clock)
  const fault: WallClockFault = {
    kind: 'wall-clock',
    node: 'edge-0',
    atMs: 1_000,
    forMs: 10_000,
    byMs: -60_000,
    driftShare: 0.1,
  }
  t.equal(clocks.wallMs('edge-0'), clock.wallMs)
  clock.runUntil(instant(1_000_000))
  clocks.begin(fault)
  t.equal(clocks.wallMs('edge-0') - clock.wallMs, -60_000)
  t.equal(clocks.wallMs('edge-1'), clock.wallMs)
  clock.runUntil(instant(6_000_000))
  t.equal(clocks.wallMs('edge-0') - clock.wallMs, -59_500)
  clocks.end(fault)
  t.equal(clocks.wallMs('edge-0'), clock.wallMs)
})
