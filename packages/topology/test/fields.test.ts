import { ProtocolError } from '@fanfold/protocol'
import t from 'tap'
import { Fields, nameRule } from '../src/fields.ts'

const fields = new Fields('a thing', {
  name: 'a',
  count: 3,
  share: 0.5,
  isOn: true,
  roles: ['one', 'two'],
  inner: { count: 4 },
  none: null,
})

await t.test('fields come back as what they are asked for', async t => {
  t.equal(fields.text('name', nameRule), 'a')
  t.equal(fields.integer('count', { min: 3, max: 3 }), 3)
  t.equal(fields.number('share', { min: 0, max: 1 }), 0.5)
  t.equal(fields.flag('isOn'), true)
  t.same(fields.choices('roles', ['one', 'two', 'three']), ['one', 'two'])
  t.same(fields.texts('roles', { ...nameRule, countMax: 2 }), ['one', 'two'])
  t.equal(fields.choice('name', ['a', 'b']), 'a')
  t.equal(fields.object('inner').integer('count', { min: 0, max: 9 }), 4)
  t.ok(fields.has('none'))
  t.notOk(fields.has('toString'))
})

await t.test('each that is not says where, what it must be and what it is', async t => {
  const readings: [() => unknown, string][] = [
    [() => fields.text('count', nameRule), 'a thing: count is 1 to 80 of A-Z'],
    [() => fields.integer('share', { min: 0, max: 9 }), 'share is an integer of 0 … 9, got 0.5'],
    [() => fields.integer('count', { min: 4, max: 9 }), 'count is an integer of 4 … 9, got 3'],
    [() => fields.number('count', { min: 0, max: 2 }), 'count is a number of 0 … 2, got 3'],
    [() => fields.flag('name'), 'name is true or false, got "a"'],
    [() => fields.choice('name', ['b']), 'name is one of b, got "a"'],
    [() => fields.choices('roles', ['one']), 'roles is a list of at most 1'],
    [() => fields.choices('roles', ['one', 'three']), 'roles is of one, three'],
    [() => fields.texts('roles', { ...nameRule, countMax: 1 }), 'roles is a list of at most 1'],
    [() => fields.object('none'), 'a thing: none is a JSON object'],
    [() => fields.text('constructor', nameRule), 'constructor is 1 to 80'],
    [() => Fields.parse('a thing', new Uint8Array(9), 8), 'a thing has at most 8 bytes, got 9'],
  ]
  for (const [read, message] of readings) {
    t.throws(read, ProtocolError)
    try {
      read()
    } catch (error) {
      t.ok(error instanceof Error && error.message.includes(message), message)
    }
  }
})
