import t from 'tap'
import { finalize, hashText } from '../src/text-hash.ts'

/** The same lanes in BigInt, written from the description: an oracle for the 32-bit arithmetic. */
function reference(text: string): { a: number; b: number } {
  const mask = 0xffff_ffffn
  const times = (x: bigint, y: bigint): bigint => (x * y) & mask
  const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & mask
  let a = 0x9747b28cn
  let b = 0x165667b1n
  for (let index = 0; index < text.length; index++) {
    const unit = BigInt(text.charCodeAt(index))
    a ^= times(rotate(times(unit, 0xcc9e2d51n), 15n), 0x1b873593n)
    a = (times(rotate(a, 13n), 5n) + 0xe6546b64n) & mask
    b = (b + times(unit + 1n, 0x165667b1n)) & mask
    b = times(rotate(b, 11n), 0x9e3779b1n)
  }
  const end = (lane: bigint): number => {
    let mixed = lane ^ BigInt(text.length)
    mixed ^= mixed >> 16n
    mixed = times(mixed, 0x85ebca6bn)
    mixed ^= mixed >> 13n
    mixed = times(mixed, 0xc2b2ae35n)
    return Number(mixed ^ (mixed >> 16n))
  }
  return { a: end(a), b: end(b) }
}

await t.test('the lanes are those of the description', async t => {
  for (const text of ['', 'a', 'acme/match/final', '\0', '\0\0', 'é', '🏁', 'x'.repeat(300)]) {
    const { a, b } = hashText(text)
    t.same({ a: a >>> 0, b: b >>> 0 }, reference(text), JSON.stringify(text.slice(0, 20)))
  }
})

await t.test('two hundred thousand keys that differ little have lanes of their own', async t => {
  const seen = new Set<string>()
  for (let index = 0; index < 200_000; index++) {
    const { a, b } = hashText(`acme/match/${index}`)
    seen.add(`${a},${b}`)
  }
  t.equal(seen.size, 200_000)
})

await t.test(
  'each bit of a lane changes each bit of the outcome about half of the time',
  async t => {
    const lanes = 4_000
    const flips = new Array<number>(32 * 32).fill(0)
    for (let lane = 0; lane < lanes; lane++) {
      const from = hashText(`lane ${lane}`).a
      const whole = finalize(from)
      for (let bit = 0; bit < 32; bit++) {
        const changed = whole ^ finalize(from ^ (1 << bit))
        for (let out = 0; out < 32; out++) {
          const at = bit * 32 + out
          flips[at] = (flips[at] ?? 0) + ((changed >>> out) & 1)
        }
      }
    }
    // The number of flips is binomial: six standard deviations around the half, for all 1,024 at once.
    const slack = 6 * Math.sqrt(lanes / 4)
    t.ok(flips.every(count => Math.abs(count - lanes / 2) < slack))
  },
)
