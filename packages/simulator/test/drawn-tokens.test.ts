import { Prng } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { drawTokens } from '../src/drawn-tokens.ts'

const docs = ['acme/board/0', 'acme/board/1'].map(parseDocumentKey)
const first = { subject: 's1', claims: { tier: 1, team: 'red' } }

function draw(number: number, renewingShare: number, expiringShare: number) {
  let endMs = 100
  const prng = new Prng(`tokens ${number}`)
  const drawEndMs = () => (endMs += prng.below(50) - 25)
  return drawTokens(prng, { first, docs, renewingShare, expiringShare, drawEndMs })
}

t.test('one that neither renews nor ends is all that there is', async t => {
  t.match(draw(1, 0, 0), { tokens: [{ ...first, documents: ['**'] }], renewals: 0 })
})

t.test('each token but the last ones ends, the earlier ones earlier, and tiers differ', async t => {
  let forbidding = 0
  for (let number = 0; number < 100; number++) {
    const { tokens, renewals } = draw(number, 1, 1)
    t.ok(renewals < tokens.length)
    t.equal(tokens.at(-1)?.expiresAtMs, undefined)
    t.type(tokens[0]?.expiresAtMs, 'number')
    tokens.forEach((token, index) => {
      const before = tokens[index - 1]
      if (before === undefined) return
      t.not(token.claims['tier'], before.claims['tier'])
      const isLater = (token.expiresAtMs ?? Number.POSITIVE_INFINITY) >= (before.expiresAtMs ?? 0)
      t.ok(isLater || before.expiresAtMs === undefined)
      if (!token.documents.includes('**')) forbidding++
    })
  }
  t.ok(forbidding > 20, `${forbidding} do not allow one of the documents`)
})
