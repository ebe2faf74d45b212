import t from 'tap'
import { createRandomPool, randomPoolBytes } from '../src/random-pool.ts'

t.test('bytes are fresh each time, across many fillings of the pool', async t => {
  const random = createRandomPool()
  const seen = new Set<string>()
  const count = (randomPoolBytes / 16) * 3
  for (let index = 0; index < count; index++) seen.add(Buffer.from(random(16)).toString('hex'))
  t.equal(seen.size, count)
})

t.test('bytes belong to the caller: later draws do not change them', async t => {
  const random = createRandomPool()
  const first = random(16)
  const copy = first.slice()
  for (let index = 0; index < 3; index++) random(randomPoolBytes)
  t.same(first, copy)
  t.equal(first.buffer.byteLength, 16)
})

t.test('any count can be had, none and more than the pool holds too', async t => {
  const random = createRandomPool()
  for (const count of [0, 1, randomPoolBytes, randomPoolBytes + 1])
    t.equal(random(count).length, count)
})
