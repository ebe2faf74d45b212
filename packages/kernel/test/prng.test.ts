import fc from 'fast-check'
import t from 'tap'
import { Prng } from '../src/prng.ts'

/** The same generator in BigInt, written from the papers: an oracle for the 32-bit arithmetic. */
function* reference(seed: string): Generator<number> {
  const mask = 0xffff_ffffn
  let hash = 0x811c9dc5n
  for (let index = 0; index < seed.length; index++) {
    hash = ((hash ^ BigInt(seed.charCodeAt(index))) * 0x01000193n) & mask
  }
  const split = (): bigint => {
    hash = (hash + 0x9e3779b9n) & mask
    let mixed = ((hash ^ (hash >> 16n)) * 0x21f0aaadn) & mask
    mixed = ((mixed ^ (mixed >> 15n)) * 0x735a2d97n) & mask
    return mixed ^ (mixed >> 15n)
  }
  const rotate = (value: bigint, by: bigint): bigint =>
    ((value << by) | (value >> (32n - by))) & mask
  let [a, b, c, d] = [split(), split(), split(), split() | 1n]
  for (;;) {
    yield Number((rotate((b * 5n) & mask, 7n) * 9n) & mask)
    const shifted = (b << 9n) & mask
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11n)
  }
}

await t.test('the stream of a seed is the same on every machine', async t => {
  const prng = new Prng('fanfold')
  t.same(
    [prng.uint32(), prng.uint32(), prng.uint32(), prng.uint32()],
    [970_018_306, 2_759_946_054, 3_498_278_583, 4_166_946_963],
  )
  const empty = new Prng('')
  t.same(
    [empty.uint32(), empty.uint32(), empty.uint32(), empty.uint32()],
    [2_988_730_470, 1_666_900_107, 221_464_154, 2_801_406_039],
  )
  const fork = new Prng('fanfold').fork('network')
  t.same([fork.uint32(), fork.uint32()], [2_140_849_383, 2_861_542_282])
})

await t.test('every seed gives xoshiro128** as the paper has it', async t => {
  const property = fc.property(fc.string({ unit: 'binary' }), seed => {
    const prng = new Prng(seed)
    const oracle = reference(seed)
    for (let draw = 0; draw < 50; draw++) if (prng.uint32() !== oracle.next().value) return false
    return true
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('values spread evenly: every sixteenth gets its share', async t => {
  // One fixed seed: the numbers below are the same each time, so this cannot be flaky.
  const prng = new Prng('distribution')
  const counts = new Array<number>(16).fill(0)
  let bits = 0
  for (let draw = 0; draw < 160_000; draw++) {
    const value = prng.uint32()
    const bucket = value >>> 28
    counts[bucket] = (counts[bucket] ?? 0) + 1
    bits += value & 1
  }
  for (const [bucket, count] of counts.entries()) {
    t.ok(Math.abs(count - 10_000) < 500, `bucket ${bucket} has ${count} of about 10,000`)
  }
  t.ok(Math.abs(bits - 80_000) < 1000, `the lowest bit was set ${bits} times of about 80,000`)
})

await t.test('an integer below a bound is one, and reaches both ends', async t => {
  const prng = new Prng('below')
  const seen = new Set<number>()
  for (let draw = 0; draw < 1000; draw++) seen.add(prng.below(7))
  t.same([...seen].sort(), [0, 1, 2, 3, 4, 5, 6])
  t.equal(prng.below(1), 0)
  for (const bound of [0, -1, 1.5, Number.NaN]) {
    t.throws(() => prng.below(bound), { name: 'AssertionError' }, `${bound}`)
  }
})

await t.test('probability 0 never happens, probability 1 always', async t => {
  const prng = new Prng('chance')
  let never = 0
  let always = 0
  for (let draw = 0; draw < 1000; draw++) {
    if (prng.chance(0)) never++
    if (prng.chance(1)) always++
  }
  t.equal(never, 0)
  t.equal(always, 1000)
})

await t.test('a pick is one of the items, and of nothing there is no pick', async t => {
  const prng = new Prng('pick')
  const seen = new Set<string>()
  for (let draw = 0; draw < 100; draw++) seen.add(prng.pick(['a', 'b', 'c']))
  t.same([...seen].sort(), ['a', 'b', 'c'])
  t.throws(() => prng.pick([]), { name: 'AssertionError' })
})

await t.test('bytes come in the number asked for and take every value', async t => {
  const bytes = new Prng('bytes').bytes(10_000)
  t.equal(bytes.length, 10_000)
  t.equal(new Set(bytes).size, 256)
  t.equal(new Prng('bytes').bytes(0).length, 0)
})

await t.test('a draw more in a fork does not shift the draws of its parent', async t => {
  const drawAfterFork = (draws: number): number => {
    const prng = new Prng('parent')
    const fork = prng.fork('disk')
    for (let draw = 0; draw < draws; draw++) fork.uint32()
    return prng.uint32()
  }
  t.equal(drawAfterFork(0), drawAfterFork(100))
  t.not(
    new Prng('parent').fork('disk').uint32(),
    new Prng('parent').fork('network').uint32(),
    'each concern has a stream of its own',
  )
})
