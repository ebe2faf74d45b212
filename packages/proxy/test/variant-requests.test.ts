import t from 'tap'
import { VariantRequests, variantsWaitedForMax } from '../src/variant-requests.ts'
import { link } from './build-proxy.ts'

const [a, b] = [link(1), link(2)]

t.test('who waits for a variant is there once, until it is taken', async t => {
  const requests = new VariantRequests()
  for (const id of [a, b, a]) t.ok(requests.add('x', id))
  t.same([...requests.take('x')], [a, b])
  t.same([...requests.take('x')], [])
  t.equal(requests.count, 0)
})

t.test('a link that is gone waits no more; what nobody waits for then is said', async t => {
  const requests = new VariantRequests()
  requests.add('x', a)
  requests.add('y', a)
  requests.add('y', b)
  t.same(requests.leave(a), ['x'])
  t.same([...requests.take('y')], [b])
  t.same(requests.leave(a), [])
})

t.test('at the limit one more variant is not waited for, one more link is', async t => {
  const requests = new VariantRequests()
  for (let index = 0; index < variantsWaitedForMax; index++) t.ok(requests.add(`${index}`, a))
  t.notOk(requests.add('one more', a))
  t.ok(requests.add('0', b))
  t.equal(requests.count, variantsWaitedForMax)
})
