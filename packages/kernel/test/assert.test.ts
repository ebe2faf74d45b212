import t from 'tap'
import { AssertionError, assert, unreachable } from '../src/assert.ts'

await t.test('a condition that holds says nothing', async t => {
  t.doesNotThrow(() => assert(1 < 2, 'one is below two'))
})

await t.test('a condition that does not hold throws its sentence', async t => {
  t.throws(
    () => assert(1 > 2, 'seq 41 follows 40'),
    new AssertionError('seq 41 follows 40'),
    'with the message as given',
  )
  t.ok(new AssertionError('x') instanceof Error)
  t.equal(new AssertionError('x').name, 'AssertionError')
})

await t.test('the last arm of a switch names the kind nobody handled', async t => {
  const stray = { kind: 'stray' } as never
  t.throws(() => unreachable(stray), { name: 'AssertionError', message: /stray/ })
})
