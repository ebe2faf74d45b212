import { after, type Instant, instant, milliseconds } from '@fanfold/kernel'
import t from 'tap'
import { ByteBudget, ReliefPatience } from '../src/byte-budget.ts'

const at = (ms: number): Instant => after(instant(0), milliseconds(ms))

t.test('a budget of bytes is over until it is a fifth below', async t => {
  const budget = new ByteBudget({ bytesPerSecondMax: 1_000 })
  const states = [999, 1_000, 801, 799, 999, 1_500].map(bytesPerSecond => {
    budget.measured(bytesPerSecond, at(0))
    return budget.isOver
  })
  t.same(states, [false, true, true, false, false, true])
  t.throws(() => new ByteBudget({ bytesPerSecondMax: 0 }), /positive, got 0/)
})

t.test(
  'what is too much for some seconds is to be had elsewhere, until it is well below',
  async t => {
    const budget = new ByteBudget({ bytesPerSecondMax: 1_000 })
    t.equal(budget.measured(1_200, at(0)), 0)
    t.equal(budget.measured(1_200, at(2_999)), 0, 'a burst is none')
    t.equal(budget.measured(1_200, at(3_000)), 400)
    t.equal(budget.measured(900, at(4_000)), 0, 'who was sent on is on its way')
    t.equal(budget.measured(900, at(9_000)), 100, 'twice as long after that')
    t.equal(budget.measured(700, at(10_000)), 0)
    t.equal(budget.measured(1_200, at(11_000)), 0, 'from then on it is as at first')
    t.equal(budget.measured(1_200, at(14_000)), 400)
  },
)

t.test('there is room for more while half of the budget is left', async t => {
  const budget = new ByteBudget({ bytesPerSecondMax: 1_000 })
  budget.measured(300, at(0))
  t.ok(budget.hasRoomFor(200))
  t.notOk(budget.hasRoomFor(201))
  budget.measured(1_000, at(1_000))
  t.notOk(budget.hasRoomFor(0))
})

t.test('who has too much to do waits longer each time, up to a bound', async t => {
  const patience = new ReliefPatience()
  const due: number[] = []
  for (let second = 0; second < 400; second++) {
    if (patience.isDue(true, at(second * 1_000))) due.push(second)
  }
  t.same(due, [3, 9, 21, 45, 93, 189, 285, 381])
  t.notOk(patience.isDue(false, at(400_000)))
  t.notOk(patience.isDue(true, at(401_000)))
  t.ok(patience.isDue(true, at(404_000)))
})
