import t from 'tap'
import { recordBytes, TurnBudget, turnBytesMax } from '../src/turn-budget.ts'
import { TurnCounter } from './turn-counter.ts'

t.test('a turn has room until so many bytes and records of it are spent', async t => {
  const budget = new TurnBudget()
  for (let count = 1; count * recordBytes < turnBytesMax; count++) {
    budget.spend(0)
    t.notOk(budget.isSpent)
    await budget.room()
  }
  budget.spend(0)
  t.ok(budget.isSpent)
})

t.test('who finds no room goes on in a later turn, in order, one in each', async t => {
  const counter = new TurnCounter()
  t.teardown(() => counter.stop())
  const budget = new TurnBudget()
  budget.spend(turnBytesMax)
  const goOn = async (): Promise<number> => {
    await budget.room()
    budget.spend(turnBytesMax)
    return counter.turns
  }
  const turns = await Promise.all([goOn(), goOn(), goOn()])
  const [first = 0] = turns
  t.ok(first > 0)
  t.same(turns, [first, first + 1, first + 2])
})

t.test('who comes while others wait does not go before them', async t => {
  const budget = new TurnBudget()
  budget.spend(turnBytesMax)
  const order: string[] = []
  const first = budget.room().then(() => order.push('first'))
  const second = budget.room().then(async () => {
    order.push('second')
  })
  await first
  t.notOk(budget.isSpent, 'a new turn has room')
  const third = budget.room().then(() => order.push('third'))
  await Promise.all([second, third])
  t.same(order, ['first', 'second', 'third'])
})
