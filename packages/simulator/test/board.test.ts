import { initialState, validateMessage } from '@fanfold/definition'
import { isJsonObject } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { boardDefinition, countersDiffer, drawMessage } from '../src/board.ts'

t.test('every message that is drawn is one of the definition', async t => {
  const prng = new Prng('messages')
  const names = new Set<string>()
  for (let index = 0; index < 2_000; index++) {
    const { message, value } = drawMessage(prng, 100)
    names.add(message)
    const valid = validateMessage(boardDefinition, message, value)
    t.ok(valid.ok || value === 'not an object', message)
  }
  t.same([...names].sort(), Object.keys(boardDefinition.messages).sort())
})

t.test('texts are about as long as asked for', async t => {
  const prng = new Prng('texts')
  for (let index = 0; index < 500; index++) {
    const { value } = drawMessage(prng, 50)
    const texts = isJsonObject(value) ? Object.values(value) : []
    for (const text of texts) if (typeof text === 'string') t.ok(text.length <= 50)
  }
})

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
