import { instant, Prng } from '@fanfold/kernel'
import t from 'tap'
import { ReconnectWaits } from '../src/reconnect-waits.ts'

const at = (seconds: number) => instant(seconds * 1_000_000)

t.test('a connection that lasted is had again within a second', async t => {
  for (let seed = 0; seed < 50; seed++) {
    const waits = new ReconnectWaits(new Prng(`${seed}`))
    waits.opened(at(1))
    const wait = waits.lost(at(7), 1)
    t.ok(wait >= 0 && wait <= 1_000_000, `${wait} µs`)
  }
})

t.test('all endpoints are tried at once, then there is a wait, which grows', async t => {
  const waits = new ReconnectWaits(new Prng('waits'))
  waits.opened(at(1))
  const next = () => waits.lost(at(2), 2) / 1000
  t.equal(next(), 0)
  const first = next()
  t.ok(first >= 500 && first <= 1_000, `${first} ms`)
  for (let count = 0; count < 20; count++) {
    const wait = next()
    if (count % 2 === 0) t.equal(wait, 0)
    else t.ok(wait >= 500 && wait <= 20_000, `${wait} ms`)
  }
})
