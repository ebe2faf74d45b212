import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { AssemblyBudget } from '../src/assembly-budget.ts'

t.test('there is room for so many, and for so many bytes', async t => {
  const budget = new AssemblyBudget({ countMax: 3, bytesMax: 100 })
  t.ok(budget.take(60))
  t.notOk(budget.take(41), 'one byte past it')
  t.ok(budget.take(40), 'at the limit')
  t.ok(budget.take(0))
  t.notOk(budget.take(0), 'one too many')
  t.equal(budget.count, 3)
  t.equal(budget.bytes, 100)
})

t.test('what is freed has room again', async t => {
  const budget = new AssemblyBudget({ countMax: 1, bytesMax: 100 })
  budget.take(100)
  budget.free(100)
  t.equal(budget.bytes, 0)
  t.ok(budget.take(1))
})

t.test('one that is larger than all of the room comes by itself', async t => {
  const budget = new AssemblyBudget({ countMax: 2, bytesMax: 100 })
  t.ok(budget.take(1_000))
  t.notOk(budget.take(1))
})

t.test(
  'who found no room is next when there is some, and no more than there is room for',
  async t => {
    const keys = Array.from({ length: 4 }, (_, index) => parseDocumentKey(`acme/match/m${index}`))
    const budget = new AssemblyBudget({ countMax: 2, bytesMax: 100 })
    budget.take(10)
    budget.take(10)
    for (const key of keys) budget.wait(key)
    t.equal(budget.next, undefined)
    budget.free(10)
    t.equal(budget.next, keys[0])
    for (const key of keys.slice(0, 1)) budget.ask(key)
    t.equal(budget.next, undefined, 'room is kept for who is asked for')
    for (const key of keys.slice(0, 1)) budget.leave(key)
    t.equal(budget.next, keys[1], 'until it needs none')
    for (const key of keys.slice(1, 2)) budget.wait(key)
    t.equal(budget.next, keys[1], 'who waits already keeps its place')
    for (const key of keys) budget.leave(key)
    t.equal(budget.next, undefined)
  },
)
