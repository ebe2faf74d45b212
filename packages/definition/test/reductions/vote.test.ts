import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { type Ballots, cast, type Votes, vote } from '../../src/reductions/library.ts'
import { voice } from './voices.ts'

const votes = (...list: [voter: string, stamp: number, choice: string][]): Votes =>
  new Map(list.map(([voter, stamp, choice]) => [voter, { stamp, choice }]))

t.test('the latest choice of a voter counts, whichever comes first', async t => {
  const reduction = vote()
  for (const stamps of [
    [1, 2],
    [2, 1],
  ]) {
    let sum = reduction.empty()
    for (const stamp of stamps) {
      sum = reduction.fold(sum, stamp === 2 ? 'no' : 'yes', voice({ id: 'a', stamp })) ?? sum
    }
    t.same([...reduction.read(sum)], [['a', { stamp: 2, choice: 'no' }]])
  }
})

t.test('a sum has room for so many voters; those who are in it may change their minds', async t => {
  const reduction = vote({ voters: 2 })
  let sum = reduction.empty()
  for (const id of ['a', 'b']) sum = reduction.fold(sum, 'yes', voice({ id })) ?? sum
  t.equal(reduction.fold(sum, 'yes', voice({ id: 'c' })), undefined)
  t.ok(reduction.fold(sum, 'no', voice({ id: 'b', stamp: 1 })))
  const other = reduction.fold(reduction.empty(), 'yes', voice({ id: 'c' }))
  t.equal(other && reduction.merge(sum, other), undefined)
  t.equal(sum.size, 2)
  for (const id of ['', 'x'.repeat(129), '__proto__']) {
    t.throws(() => reduction.fold(sum, 'yes', voice({ id })), RangeError)
  }
})

t.test('ballots take each vote once, and what changes is told', async t => {
  const ballots: Ballots = {}
  t.same(cast(ballots, votes(['a', 1, 'yes'], ['b', 1, 'no'])), [
    { choice: 'yes', before: undefined },
    { choice: 'no', before: undefined },
  ])
  t.same(cast(ballots, votes(['a', 1, 'yes'])), [], 'once more')
  t.same(cast(ballots, votes(['a', 2, 'no'])), [{ choice: 'no', before: 'yes' }])
  t.same(cast(ballots, votes(['a', 1, 'yes'])), [], 'an older one that comes late')
  t.same(cast(ballots, votes(['a', 3, 'no'])), [], 'the same choice')
  t.same(ballots, { a: [3, 'no'], b: [1, 'no'] })
})

t.test('votes in any order, any grouping and any number of times come to one tally', async t => {
  const prng = new Prng('votes')
  const said = Array.from({ length: 200 }, () => ({
    id: `voter-${prng.below(20)}`,
    stamp: prng.below(30),
    choice: prng.pick(['a', 'b', 'c']),
  }))
  const tallyOf = (): Record<string, number> => {
    const reduction = vote({ voters: 15 })
    const ballots: Ballots = {}
    const tally: Record<string, number> = { a: 0, b: 0, c: 0 }
    let sum = reduction.empty()
    const close = (): void => {
      for (const { choice, before } of cast(ballots, reduction.read(sum))) {
        tally[choice] = (tally[choice] ?? 0) + 1
        if (before !== undefined) tally[before] = (tally[before] ?? 0) - 1
      }
      sum = reduction.empty()
    }
    const again = said.filter(() => prng.chance(0.3))
    for (const { id, stamp, choice } of [...said, ...again].toSorted(() => prng.fraction() - 0.5)) {
      let next = reduction.fold(sum, choice, voice({ id, stamp }))
      if (next === undefined || prng.chance(0.1)) {
        close()
        next = reduction.fold(sum, choice, voice({ id, stamp }))
      }
      sum = next ?? sum
    }
    close()
    return tally
  }
  const first = tallyOf()
  t.equal(
    Object.values(first).reduce((all, n) => all + n, 0),
    20,
  )
  for (let round = 0; round < 30; round++) t.same(tallyOf(), first)
})
