import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { sha256 } from '../src/sha256.ts'

t.test('the digest is that of the standard, at the offset and nowhere else', async t => {
  for (const length of [0, 1, 63, 64, 65, 4096]) {
    const input = new Uint8Array(randomBytes(length))
    const target = new Uint8Array(40).fill(9)
    sha256(input, target, 5)
    t.same(target.subarray(5, 37), new Uint8Array(createHash('sha256').update(input).digest()))
    t.same([...target.subarray(0, 5), ...target.subarray(37)], Array(8).fill(9))
  }
})

t.test('the digest of a part of an array is of that part', async t => {
  const target = new Uint8Array(64)
  const input = new Uint8Array([1, 2, 3, 4])
  sha256(input.subarray(1, 3), target, 0)
  sha256(new Uint8Array([2, 3]), target, 32)
  t.same(target.subarray(0, 32), target.subarray(32))
})
