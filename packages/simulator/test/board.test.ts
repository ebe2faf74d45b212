import { initialState } from '@fanfold/definition'
import t from 'tap'
import { boardDefinition, countersDiffer } from '../src/board.ts'

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
