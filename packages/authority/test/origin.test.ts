import { encodeUtf8 } from '@fanfold/kernel'
import t from 'tap'
import { decodeOrigin, encodeOrigin, type Origin } from '../src/origin.ts'

t.test('an origin comes back, with and without what it may lack', async t => {
  const origins: Origin[] = [
    { by: 'ada', id: 'c1-17', message: 'goal' },
    { by: '', id: undefined, message: undefined },
    { by: 'Zoë "Z"', id: undefined, message: 'goal' },
    { by: 'a'.repeat(255), id: '🏁'.repeat(32), message: 'n'.repeat(80) },
  ]
  for (const origin of origins) t.same(decodeOrigin(encodeOrigin(origin)), origin)
})

t.test('an origin is three texts, each behind its length', async t => {
  const bytes = encodeOrigin({ by: 'ada', id: undefined, message: 'goal' })
  t.same(bytes, encodeUtf8('\u0003ada\u0000\u0004goal'))
})

t.test('what is no origin is none', async t => {
  const whole = encodeOrigin({ by: 'ada', id: 'c1-17', message: 'goal' })
  for (let length = 0; length < whole.length; length++) {
    t.equal(decodeOrigin(whole.subarray(0, length)), undefined, `${length} bytes`)
  }
  t.equal(decodeOrigin(Uint8Array.of(...whole, 0)), undefined, 'a byte behind it')
  t.equal(decodeOrigin(Uint8Array.of(1, 0xff, 0, 0)), undefined, 'no UTF-8')
})

t.test('a text over 255 bytes is refused', async t => {
  const origin = { by: 'é'.repeat(128), id: undefined, message: undefined }
  t.throws(() => encodeOrigin(origin), { name: 'AssertionError' })
})
