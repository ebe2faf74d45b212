import t from 'tap'
import { SafetyRounds } from '../src/safety-rounds.ts'
import { at } from './build-stream.ts'

const begin = (): SafetyRounds<number> => new SafetyRounds()

t.test('nothing is due while there is nothing to look at', async t => {
  const rounds = begin()
  t.equal(rounds.wakeAt(), undefined)
  rounds.add(1, at(0))
  t.equal(rounds.wakeAt(), at(5_000))
  rounds.delete(1)
  t.equal(rounds.wakeAt(), undefined)
  rounds.add(1, at(60_000))
  t.equal(rounds.wakeAt(), at(65_000), 'and then not for a round')
})

t.test('each is looked at once a round, until it needs none', async t => {
  const rounds = begin()
  rounds.add(1, at(0))
  rounds.add(2, at(1_000))
  rounds.add(1, at(4_000))
  t.same([...rounds.due(at(4_999))], [])
  t.same([...rounds.due(at(5_000))].sort(), [1, 2])
  t.same([...rounds.due(at(5_001))], [])
  rounds.delete(2)
  t.same([...rounds.due(at(10_000))], [1])
  t.equal(rounds.wakeAt(), at(15_000))
})

t.test('many are looked at in several turns', async t => {
  const rounds = begin()
  for (let key = 0; key < 2_500; key++) rounds.add(key, at(0))
  const turns: number[] = []
  while ((rounds.wakeAt() ?? at(9_999)) <= at(5_000)) turns.push([...rounds.due(at(5_000))].length)
  t.same(turns, [1_024, 1_024, 452])
})

t.test('one that is forgotten during a round is not looked at', async t => {
  const rounds = begin()
  for (let key = 0; key < 2_000; key++) rounds.add(key, at(0))
  t.equal([...rounds.due(at(5_000))].length, 1_024)
  for (let key = 0; key < 2_000; key++) rounds.delete(key)
  t.same([...rounds.due(at(5_000))], [])
  t.equal(rounds.wakeAt(), undefined)
})
