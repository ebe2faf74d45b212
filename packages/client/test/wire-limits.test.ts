import { limits } from '@fanfold/protocol'
import t from 'tap'
import { idempotencyIdBytesMax, writeFrameBytesMax } from '../src/wire-limits.ts'

t.test("the client's limits are those of the protocol", t => {
  t.equal(idempotencyIdBytesMax, limits.idempotencyIdBytesMax.value)
  t.equal(writeFrameBytesMax, limits.writeFrameBytesMax.value)
  t.end()
})
