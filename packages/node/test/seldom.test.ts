import t from 'tap'
import { Seldom } from '../src/seldom.ts'

t.test('each thing is said once in a while, whatever else is said', async t => {
  let now = 0
  const seldom = new Seldom(60_000, () => now)
  t.ok(seldom.isDue('a'))
  t.ok(seldom.isDue('b'))
  now = 59_999
  t.notOk(seldom.isDue('a'))
  now = 60_000
  t.ok(seldom.isDue('a'))
  t.notOk(seldom.isDue('a'), 'and from then on it counts anew')
})

t.test('a thousand things are known apart; with one more all are forgotten', async t => {
  const seldom = new Seldom(60_000, () => 0)
  for (let thing = 0; thing < 1_000; thing++) t.ok(seldom.isDue(`${thing}`))
  t.notOk(seldom.isDue('0'))
  t.ok(seldom.isDue('one more'))
  t.ok(seldom.isDue('0'))
})
