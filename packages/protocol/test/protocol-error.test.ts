import t from 'tap'
import { badFrame, ProtocolError } from '../src/protocol-error.ts'

await t.test('a protocol error carries its code and its sentence', async t => {
  const error = new ProtocolError('FANFOLD_BAD_KEY', 'a key')
  t.equal(error.code, 'FANFOLD_BAD_KEY')
  t.equal(error.message, 'a key')
  t.equal(error.name, 'ProtocolError')
  t.ok(error instanceof Error)
})

await t.test('a bad frame is thrown under its code', async t => {
  t.throws(() => badFrame('a field'), new ProtocolError('FANFOLD_BAD_FRAME', 'a field'))
})
