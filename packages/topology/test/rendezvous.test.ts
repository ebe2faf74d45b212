import { readFileSync } from 'node:fs'
import { Prng } from '@fanfold/kernel'
import fc from 'fast-check'
import t from 'tap'
import { type Candidate, Rendezvous, weightMax } from '../src/rendezvous.ts'

const keyCount = 100_000
const keys = Array.from({ length: keyCount }, (_, index) => `acme/match/${index}`)

const equals = (count: number): Candidate[] =>
  Array.from({ length: count }, (_, index) => ({ name: `authority-${index}`, weight: 1 }))

const ownersOf = (candidates: readonly Candidate[]): (string | undefined)[] => {
  const rendezvous = new Rendezvous(candidates)
  return keys.map(key => rendezvous.owner(key))
}

const countBy = (names: readonly (string | undefined)[]): Map<string | undefined, number> => {
  const counts = new Map<string | undefined, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

const candidates = fc.uniqueArray(
  fc.record({ name: fc.string(), weight: fc.oneof(fc.nat(5), fc.constantFrom(0.5, weightMax)) }),
  { selector: candidate => candidate.name, maxLength: 8 },
)

function* permutations<Item>(items: readonly Item[]): IterableIterator<Item[]> {
  if (items.length === 0) yield []
  for (const [index, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest]
  }
}

await t.test('the golden vectors hold', async t => {
  const file = new URL('../../rendezvous-vectors.json', import.meta.url)
  const vectors: { candidates: Candidate[]; key: string; owners: string[] }[] = JSON.parse(
    readFileSync(file, 'utf8'),
  )
  t.ok(vectors.length >= 20)
  for (const { candidates, key, owners } of vectors) {
    const rendezvous = new Rendezvous(candidates)
    t.same(rendezvous.owners(key, candidates.length), owners, JSON.stringify(key))
    t.equal(rendezvous.owner(key), owners[0])
  }
})

await t.test('every order of the candidates gives the same owners', async t => {
  const five = [3, 1, 1, 2, 0.5].map((weight, index) => ({ name: `node-${index}`, weight }))
  const some = keys.slice(0, 50)
  const expected = some.map(key => new Rendezvous(five).owners(key, 5))
  for (const order of permutations(five)) {
    const rendezvous = new Rendezvous(order)
    t.same(
      some.map(key => rendezvous.owners(key, 5)),
      expected,
    )
  }
})

await t.test('the owner is the first of the owners, and each is there once', async t => {
  fc.assert(
    fc.property(candidates, fc.string(), fc.nat(9), (candidates, key, count) => {
      const rendezvous = new Rendezvous(candidates)
      const able = candidates.filter(({ weight }) => weight > 0)
      const owners = rendezvous.owners(key, count)
      t.equal(rendezvous.owners(key, 8)[0], rendezvous.owner(key))
      t.equal(owners.length, Math.min(count, able.length))
      t.equal(new Set(owners).size, owners.length)
    }),
  )
})

await t.test('who takes over is who owns without the owner', async t => {
  fc.assert(
    fc.property(candidates, fc.string(), (candidates, key) => {
      const [owner, standby] = new Rendezvous(candidates).owners(key, 2)
      const others = candidates.filter(({ name }) => name !== owner)
      t.equal(new Rendezvous(others).owner(key), standby)
    }),
  )
})

for (const count of [3, 10, 50]) {
  await t.test(`${count} equal candidates have equal shares of 100,000 keys`, async t => {
    const counts = countBy(ownersOf(equals(count)))
    t.equal(counts.size, count)
    const expected = keyCount / count
    let chiSquare = 0
    for (const share of counts.values()) chiSquare += (share - expected) ** 2 / expected
    // Mean and variance of chi-square with n degrees of freedom are n and 2 n: five deviations.
    const freedom = count - 1
    t.ok(chiSquare < freedom + 5 * Math.sqrt(2 * freedom), `chi-square ${chiSquare.toFixed(1)}`)
  })
}

await t.test('shares are as the weights are', async t => {
  const weights = new Map([
    ['one', 1],
    ['two', 2],
    ['four', 4],
  ])
  const counts = countBy(ownersOf([...weights].map(([name, weight]) => ({ name, weight }))))
  let chiSquare = 0
  for (const [name, weight] of weights) {
    const expected = (keyCount * weight) / 7
    chiSquare += ((counts.get(name) ?? 0) - expected) ** 2 / expected
  }
  t.ok(chiSquare < 12, `chi-square ${chiSquare.toFixed(1)}`)
})

for (const count of [3, 10]) {
  await t.test(`of ${count + 1}, one that came took its share and nothing else moved`, async t => {
    const before = ownersOf(equals(count))
    const after = ownersOf(equals(count + 1))
    const moved = keys.flatMap((_, index) => (before[index] === after[index] ? [] : [after[index]]))
    t.same([...new Set(moved)], [`authority-${count}`])
    const share = moved.length / keyCount
    t.ok(Math.abs(share - 1 / (count + 1)) < 0.01, `${share} moved`)
  })
}

await t.test('more weight takes keys only to its candidate, less only from it', async t => {
  const light = equals(4)
  const heavy = light.map(candidate =>
    candidate.name === 'authority-2' ? { ...candidate, weight: 3 } : candidate,
  )
  const before = ownersOf(light)
  const after = ownersOf(heavy)
  const moved = keys.flatMap((_, index) => (before[index] === after[index] ? [] : [after[index]]))
  t.ok(moved.length > 0)
  t.same([...new Set(moved)], ['authority-2'])
})

await t.test('a candidate without weight never wins, and none is no owner', async t => {
  const owners = ownersOf([...equals(2), { name: 'spare', weight: 0 }])
  t.notOk(owners.includes('spare'))
  t.equal(new Rendezvous([{ name: 'spare', weight: 0 }]).owner('a'), undefined)
  t.same(new Rendezvous([]).owners('a', 3), [])
  t.equal(new Rendezvous(equals(2)).count, 2)
})

await t.test('key and name are never taken for each other', async t => {
  const prng = new Prng('names')
  let equalPairs = 0
  for (let round = 0; round < 20_000; round++) {
    const text = `${prng.uint32()}`
    const at = 1 + prng.below(text.length - 1)
    const one = new Rendezvous([...equals(1), { name: text.slice(0, at), weight: 1 }])
    const other = new Rendezvous([...equals(1), { name: text, weight: 1 }])
    const isFirst = (rendezvous: Rendezvous, key: string): boolean =>
      rendezvous.owner(key) === 'authority-0'
    if (isFirst(one, text.slice(at)) === isFirst(other, '')) equalPairs++
  }
  t.ok(Math.abs(equalPairs - 10_000) < 400, `${equalPairs} of 20,000, as chance has it`)
})

await t.test('the order in which candidates take over is nobody’s habit', async t => {
  const counts = countBy(
    keys.slice(0, 24_000).map(key => new Rendezvous(equals(4)).owners(key, 4).join(' ')),
  )
  t.equal(counts.size, 24)
  for (const count of counts.values()) t.ok(Math.abs(count - 1_000) < 6 * Math.sqrt(1_000))
})

await t.test('a weight that is none and a name that is there twice are our own bug', async t => {
  for (const weight of [-1, Number.NaN, weightMax + 1, Number.POSITIVE_INFINITY]) {
    t.throws(() => new Rendezvous([{ name: 'a', weight }]), /a weight of 0 … 1000000, got .* of a/)
  }
  t.throws(
    () => new Rendezvous([...equals(2), ...equals(1)]),
    /each candidate is named once, got authority-0 twice/,
  )
})
