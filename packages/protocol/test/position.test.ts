import fc from 'fast-check'
import t from 'tap'
import { limits } from '../src/limits.ts'
import {
  decodeResumePoint,
  describePosition,
  encodeResumePoint,
  zeroHash,
  zeroPosition,
} from '../src/position.ts'
import { position } from './arbitraries.ts'

await t.test('a position comes back with the first half of its hash', async t => {
  const property = fc.property(position, position => {
    const text = encodeResumePoint(position)
    const point = decodeResumePoint(text)
    return (
      text.length <= limits.positionBytesMax.value &&
      point?.epoch === position.epoch &&
      point.seq === position.seq &&
      Buffer.compare(point.hashPrefix, position.hash.subarray(0, 16)) === 0
    )
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('a text that no node gave out is no position', async t => {
  const hash = '0'.repeat(32)
  t.ok(decodeResumePoint(`1.4294967295.9007199254740991.${hash}`), 'the largest numbers')
  const strangers = [
    '',
    '1',
    `1.1.1.${hash}0`,
    `1.1.1.${hash.slice(1)}`,
    `1.1.1.${'A'.repeat(32)}`,
    `2.1.1.${hash}`,
    `1.4294967296.1.${hash}`,
    `1.1.9007199254740992.${hash}`,
    `1.1.-1.${hash}`,
    `1.1.1.5.${hash}`,
    `1.1.1e3.${hash}`,
    `1.01.1.${hash}`,
    `1.1.01.${hash}`,
    `1.1.1.${hash}\n`,
    ` 1.1.1.${hash}`,
    `1.١.1.${hash}`,
    'x'.repeat(4096),
  ]
  for (const text of strangers) {
    t.equal(decodeResumePoint(text), undefined, JSON.stringify(text.slice(0, 60)))
  }
})

await t.test('any text that is taken is the text of what it says', async t => {
  const digits = fc.array(fc.constantFrom(...'0123456789'), { minLength: 1, maxLength: 17 })
  const property = fc.property(digits, digits, (epoch, seq) => {
    const text = `1.${epoch.join('')}.${seq.join('')}.${'ab'.repeat(16)}`
    const point = decodeResumePoint(text)
    if (point === undefined) return true
    return encodeResumePoint({ ...point, hash: new Uint8Array(32).fill(0xab) }) === text
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('before the first record there is the zero position', async t => {
  t.equal(describePosition(zeroPosition), '0:0')
  t.same(zeroPosition.hash, new Uint8Array(32))
  t.equal(zeroHash.length, 32)
  t.equal(describePosition({ epoch: 3, seq: 120, hash: zeroHash }), '3:120')
})
