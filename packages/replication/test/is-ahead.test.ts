import t from 'tap'
import { isAhead } from '../src/is-ahead.ts'

const hash = new Uint8Array(32)

t.test('of two positions the later epoch is ahead, and in one epoch the later seq', async t => {
  const cases: [epoch: number, seq: number, expected: boolean][] = [
    [2, 10, false],
    [2, 11, true],
    [2, 9, false],
    [3, 1, true],
    [1, 99, false],
  ]
  for (const [epoch, seq, expected] of cases) {
    t.equal(isAhead({ epoch, seq, hash }, { epoch: 2, seq: 10, hash }), expected, `${epoch}:${seq}`)
  }
})
