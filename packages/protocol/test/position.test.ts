import t from 'tap'
import { describePosition, zeroHash, zeroPosition } from '../src/position.ts'

t.test('before the first record there is the zero position', async t => {
  t.equal(describePosition(zeroPosition), '0:0')
  t.same(zeroPosition.hash, new Uint8Array(32))
  t.equal(zeroHash.length, 32)
  t.equal(describePosition({ epoch: 3, seq: 120, hash: zeroHash }), '3:120')
})
