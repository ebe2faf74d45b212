import t from 'tap'
import { digestOf } from '../src/digest.ts'

await t.test('equal values have equal digests, whatever the order of their members', async t => {
  t.equal(digestOf({ a: 1, b: [2] }), digestOf({ b: [2], a: 1 }))
  t.not(digestOf({ a: 1 }), digestOf({ a: 2 }))
  // echo -n '{}' | sha256sum
  t.equal(digestOf({}), '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
})
