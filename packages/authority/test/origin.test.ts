import { encodeUtf8 } from '@fanfold/kernel'
import t from 'tap'
import { decodeOrigin, encodeOrigin, type Origin } from '../src/origin.ts'

t.test('an origin comes back, with and without what it may lack', async t => {
  const origins: Origin[] = [
    { by: 'ada', id: 'c1-17', message: 'goal' },
    { by: '', id: undefined, message: undefined },
    { by: 'Zoë "Z"', id: '', message: undefined },
  ]
  for (const origin of origins) t.same(decodeOrigin(encodeOrigin(origin)), origin)
})

t.test('what is no origin is none', async t => {
  for (const text of ['', '{', '[]', 'null', '{"id":"a"}', '{"by":3}']) {
    t.equal(decodeOrigin(encodeUtf8(text)), undefined, text)
  }
  t.equal(decodeOrigin(new Uint8Array([0xff])), undefined)
})

t.test('fields of another type are left out', async t => {
  const decoded = decodeOrigin(encodeUtf8('{"by":"ada","id":3,"message":null,"more":1}'))
  t.same(decoded, { by: 'ada', id: undefined, message: undefined })
})
