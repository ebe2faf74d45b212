import fc from 'fast-check'
import t from 'tap'
import { bytesUnderWayMin, LinkWindow } from '../src/link-window.ts'
import { LinkAllowance, TurnAllowance } from '../src/transfer-allowance.ts'
import { at } from './build-stream.ts'
import { unmeasured } from './serving-node.ts'

const limits = { bytesUnderWayFirst: 131_072, bytesUnderWayMax: 524_288 }
const toldAfter = 65_536

/** A window whose link is kept full while the child says so often that it took 64 KiB. */
function kept(times: readonly number[], window = new LinkWindow(limits)): LinkWindow {
  for (const ms of times) {
    window.taken(toldAfter, at(ms))
    window.full(at(ms))
  }
  return window
}

/** Every so many milliseconds, beginning at the first of them. */
const every = (ms: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => ms * (index + 1))

t.test('a link holds what it carries in two seconds', async t => {
  t.equal(kept([]).bytes, 131_072, 'before it is known')
  t.equal(kept(every(1_000, 1)).bytes, 131_072, 'nor is it when something was taken once')
  t.equal(kept(every(1_000, 2)).bytes, 131_072)
  t.equal(kept(every(500, 2)).bytes, 262_144)
  t.equal(kept(every(800, 5)).bytes, 163_840)
})

t.test('and no less than a child may take before it says so, nor more than it may', async t => {
  t.equal(kept(every(8_000, 3)).bytes, bytesUnderWayMin)
  t.equal(kept(every(60, 3)).bytes, limits.bytesUnderWayMax)
  const small = new LinkWindow({ bytesUnderWayFirst: 131_072, bytesUnderWayMax: 100_000 })
  t.equal(small.bytes, 100_000)
})

t.test('what came together was not carried in no time', async t => {
  t.equal(kept([8_000, 16_000, 16_000, 16_001]).bytes, bytesUnderWayMin)
  t.equal(kept([...every(10, 4)]).bytes, 131_072, 'too soon to tell')
  t.equal(kept([...every(10, 6)]).bytes, limits.bytesUnderWayMax)
})

t.test('a link that was not full, or not all the while, shows nothing', async t => {
  const window = new LinkWindow(limits)
  for (const ms of every(20_000, 5)) window.taken(toldAfter, at(ms))
  t.equal(window.bytes, 131_072)
  for (const ms of every(20_000, 5)) {
    window.full(at(100_000 + ms - 1_000))
    window.taken(toldAfter, at(100_000 + ms))
  }
  t.equal(window.bytes, 131_072)
})

t.test('a link that becomes quicker, or slower, holds more, or less', async t => {
  const window = kept(every(8_000, 3))
  kept(
    every(100, 3).map(ms => 24_000 + ms),
    window,
  )
  t.equal(window.bytes, limits.bytesUnderWayMax)
  kept(
    every(1_000, 3).map(ms => 25_000 + ms),
    window,
  )
  t.equal(window.bytes, 131_072)
})

t.test('whatever is taken, a link holds something, and never too much', async t => {
  const step = fc.record({
    ms: fc.nat({ max: 3_000 }),
    bytes: fc.nat({ max: 200_000 }),
    isFull: fc.boolean(),
  })
  const check = fc.property(fc.array(step, { maxLength: 40, size: 'max' }), steps => {
    const window = new LinkWindow(limits)
    let now = 0
    return steps.every(({ ms, bytes, isFull }) => {
      now += ms
      if (isFull) window.full(at(now))
      else window.taken(bytes, at(now))
      return window.bytes >= bytesUnderWayMin && window.bytes <= limits.bytesUnderWayMax
    })
  })
  t.doesNotThrow(() => fc.assert(check, { numRuns: 500 }))
})

/** A child that takes from a link of so many bytes in a second; the most that was under way at the end. */
function underWayOn(bytesPerSecond: number): number {
  let nowMs = 0
  const turn = new TurnAllowance(1e9, () => at(nowMs))
  const allowance = new LinkAllowance(turn, { ...unmeasured, ...limits, bytesOnLinkMax: 1e9 })
  let [under, untold, most] = [0, 0, 0]
  for (let piece = 0; piece < 60; piece++) {
    while (!allowance.isFull) {
      allowance.spend(16_384)
      under += 16_384
    }
    if (piece > 30) most = Math.max(most, under)
    nowMs += (16_384 * 1_000) / bytesPerSecond
    under -= 16_384
    untold += 16_384
    if (untold < toldAfter) continue
    allowance.taken(untold)
    untold = 0
  }
  return most
}

t.test('a slow link is two seconds behind, a quick one half a megabyte', async t => {
  t.equal(underWayOn(8_000), bytesUnderWayMin, '64 kbit/s')
  const megabit = underWayOn(125_000)
  t.ok(megabit >= 230_000 && megabit <= 280_000, `${megabit} bytes at 1 Mbit/s`)
  const most = underWayOn(2_000_000)
  t.ok(most >= limits.bytesUnderWayMax && most < limits.bytesUnderWayMax + 16_384, `${most} bytes`)
})
