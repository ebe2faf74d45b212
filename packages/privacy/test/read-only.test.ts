import type { JsonObject, JsonValue } from '@fanfold/document'
import t from 'tap'
import { Loan, lend } from '../src/read-only.ts'

const state = (): JsonObject => ({ n: 1, none: null, list: [3, { deep: [1] }], length: 'own' })

const lent = (value: JsonValue, loan = new Loan()): JsonObject => lend(value, loan) as JsonObject

t.test('what is lent looks like what it stands for', async t => {
  const one = lent(state())
  t.equal(JSON.stringify(one), JSON.stringify(state()))
  t.same({ ...one, list: undefined }, { ...state(), list: undefined })
  t.ok(Array.isArray(one['list']))
  t.ok('n' in one)
  t.notOk('x' in one)
  t.equal(one['length'], 'own')
})

t.test('scalars are themselves, nothing stays nothing', async t => {
  t.equal(lend(3, new Loan()), 3)
  t.equal(lend(null, new Loan()), null)
  t.equal(lend(undefined, new Loan()), undefined)
})

t.test('no way of looking gives a container itself', async t => {
  const own = state()
  const one = lent(own)
  const list = own['list']
  const ways = [
    one['list'],
    Object.values(one)[2],
    Object.getOwnPropertyDescriptor(one, 'list')?.value,
    Object.getOwnPropertyDescriptors(one)['list']?.value,
    { ...one }['list'],
    Reflect.get(one, 'list'),
  ]
  for (const way of ways) t.not(way, list)
  const elements = one['list'] as JsonValue[]
  for (const way of [elements[1], elements.at(-1), elements.slice()[1], [...elements][1]]) {
    t.not(way, (list as JsonValue[])[1])
    t.throws(() => Object.assign(way as JsonObject, { deep: 0 }), /cannot be changed/)
  }
})

t.test('the same container is the same stand-in, wherever it is looked up', async t => {
  const one = lent(state())
  t.equal(one['list'], one['list'])
  t.equal(Object.values(one)[2], one['list'])
})

t.test('every way of changing throws, and changes nothing', async t => {
  const own = state()
  const one = lent(own)
  const list = one['list'] as JsonValue[]
  for (const change of [
    () => Object.assign(one, { n: 2 }),
    () => Reflect.deleteProperty(one, 'n'),
    () => Object.defineProperty(one, 'n', { value: 2 }),
    () => Object.setPrototypeOf(one, null),
    () => Object.freeze(one),
    () => list.push(4),
    () => list.sort(),
    () => list.splice(0, 1),
  ]) {
    t.throws(change, /cannot be changed/)
  }
  t.same(own, state())
})

t.test('once the loan is over every look throws, at all levels', async t => {
  const loan = new Loan()
  const one = lent(state(), loan)
  const list = one['list'] as JsonValue[]
  const iterator = list.values()
  iterator.next()
  loan.end()
  for (const look of [
    () => one['n'],
    () => 'n' in one,
    () => Object.keys(one),
    () => Object.getOwnPropertyDescriptor(one, 'n'),
    () => JSON.stringify(one),
    () => list.length,
    () => iterator.next(),
  ]) {
    t.throws(look, /cannot be kept/)
  }
})
