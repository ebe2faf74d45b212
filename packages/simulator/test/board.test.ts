import { initialState } from '@fanfold/definition'
import t from 'tap'
import { boardDefinition, countersDiffer, countsIn } from '../src/board.ts'

t.test('counters are compared with the messages that count', async t => {
  const state = initialState(boardDefinition)
  t.ok(state.ok)
  const count = (name: string, by: number) => ({ message: 'count', value: { name, by } })
  const messages = [count('a', 1), count('b', 2), count('a', 3), { message: 'turn', value: {} }]
  t.equal(countersDiffer(messages, { counters: { b: 2, a: 4 } }), undefined)
  t.match(countersDiffer(messages, { counters: { b: 2, a: 3 } }), /"a":3.*"a":4/)
  t.match(countersDiffer(messages, undefined), /counters are {}/)
  t.equal(countersDiffer([], undefined), undefined)
})

t.test('what a sum says is read only when it is of a reducer of boards', async t => {
  t.equal(countsIn('said', 'top/32', new Uint8Array([0, 0, 0])), undefined)
  t.equal(countsIn('moon', 'top/1000', new Uint8Array([0, 0, 0])), undefined)
  t.same([...(countsIn('said', 'top/1000', new Uint8Array([0, 0, 0])) ?? [['none', 1]])], [])
})
