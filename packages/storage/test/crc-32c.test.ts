import { encodeUtf8, Prng } from '@fanfold/kernel'
import t from 'tap'
import { crc32c } from '../src/crc-32c.ts'

t.test('the check values of the polynomial come out', async t => {
  t.equal(crc32c(encodeUtf8('123456789')), 0xe3069283)
  t.equal(crc32c(new Uint8Array(0)), 0)
  // RFC 3720, B.4
  t.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  t.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  t.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e)
})

t.test('eight bytes at a time give what one at a time gives, for any stretch', async t => {
  const bytes = new Prng('crc').bytes(300)
  const wrong: string[] = []
  for (let start = 0; start < 20; start++) {
    for (let end = start; end <= bytes.length; end += 7) {
      if (crc32c(bytes, start, end) !== byteByByte(bytes.subarray(start, end))) {
        wrong.push(`${start} to ${end}`)
      }
    }
  }
  t.same(wrong, [])
})

function byteByByte(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return (crc ^ 0xffff_ffff) >>> 0
}
