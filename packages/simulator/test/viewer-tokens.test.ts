import t from 'tap'
import { decodeToken, encodeToken, ViewerTokens } from '../src/viewer-tokens.ts'
import { looker } from './build-world.ts'

const { grants } = looker(0)
const endsAt = (expiresAtMs: number | undefined) => ({ ...grants, expiresAtMs })

t.test('a token says what it was made of', async t => {
  t.same(decodeToken(encodeToken({ ...endsAt(7), tenant: 'acme' })), {
    ...endsAt(7),
    tenant: 'acme',
  })
})

t.test('a token that is fetched has not ended', async t => {
  const tokens = new ViewerTokens([endsAt(10), endsAt(20), endsAt(undefined)])
  t.equal(tokens.valid(9).expiresAtMs, 10)
  t.equal(tokens.valid(20).expiresAtMs, undefined)
  t.equal(tokens.left, 0)
})

t.test('the last token stays, and has no end', async t => {
  const tokens = new ViewerTokens([endsAt(10), endsAt(undefined)])
  t.equal(tokens.next(), true)
  t.equal(tokens.next(), false)
  t.equal(tokens.now.expiresAtMs, undefined)
  t.throws(() => new ViewerTokens([endsAt(10)]))
})
