import type { ErrorCode } from '@fanfold/protocol'
import t from 'tap'
import { type ClientErrorCode, FanfoldError, Unauthorized } from '../src/fanfold-error.ts'

t.test('an error has a code, and the document and the cause where there are some', t => {
  const cause = new Error('below')
  const error = new FanfoldError('FANFOLD_GAP', 'what', { doc: 'a/b/c', cause })
  t.match(error, {
    name: 'FanfoldError',
    code: 'FANFOLD_GAP',
    doc: 'a/b/c',
    message: 'what',
    cause,
  })
  t.equal(Object.hasOwn(new FanfoldError('FANFOLD_GAP', 'what'), 'cause'), false)
  t.end()
})

t.test('Unauthorized is one of them', t => {
  const error = new Unauthorized()
  t.ok(error instanceof FanfoldError)
  t.match(error, { name: 'Unauthorized', code: 'FANFOLD_UNAUTHORIZED', message: 'no token' })
  t.end()
})

t.test('no code of the client is one of the protocol', t => {
  const areApart: Extract<ClientErrorCode, ErrorCode> extends never ? true : false = true
  t.ok(areApart)
  t.end()
})
