import { sha256 } from '@fanfold/conformance'
import { encodeUtf8, toHex } from '@fanfold/kernel'
import { type LinkFrame, limits, type SignedVariant } from '@fanfold/protocol'
import t from 'tap'
import { ProxyChain } from './build-chain.ts'
import { child, framesOf, link, parent, Rig } from './build-proxy.ts'

const variantOf = (text: string): SignedVariant => {
  const code = encodeUtf8(text)
  const hash = new Uint8Array(32)
  sha256(code, hash, 0)
  return { hash, type: 'match', token: 'jwt', signature: new Uint8Array(64).fill(5), code }
}

const variant = variantOf('module.exports = {}')
const { hash } = variant
const request: LinkFrame = { kind: 'request-variant', hash }
const none: LinkFrame = { kind: 'no-variant', hash }
const answer: LinkFrame = { kind: 'variant', variant }

const second = link(2)

/** A proxy with a parent and two children. */
const connected = (): Rig => {
  const rig = new Rig()
  for (const id of [parent, child, second]) rig.open(id)
  return rig
}

t.test('what is not at hand is asked of the parent once, and answered to all', async t => {
  const rig = connected()
  for (const id of [child, second, child]) rig.frame(id, request)
  rig.pass(0)
  t.match(rig.sent(parent), [request])
  rig.frame(parent, answer)
  const effects = rig.effects()
  for (const id of [child, second]) t.same(framesOf(effects, id), [answer])
})

t.test('what is at hand is answered at once', async t => {
  const rig = connected()
  rig.frame(child, request)
  rig.pass(0)
  rig.frame(parent, answer)
  rig.effects()
  rig.frame(second, request)
  t.same(rig.sent(second), [answer])
  rig.pass(0)
  t.same(rig.effects(), [])
})

t.test('what the parent has not is answered so, and asked for again when a child does', async t => {
  const rig = connected()
  rig.frame(child, request)
  rig.pass(0)
  rig.effects()
  rig.frame(parent, none)
  t.same(rig.sent(child), [none])
  rig.pass(60_000)
  t.notOk(framesOf(rig.effects(), parent).some(({ kind }) => kind === 'request-variant'))
  rig.frame(child, request)
  rig.pass(0)
  t.same(rig.sent(parent), [request])
})

t.test('a parent that does not answer has not', async t => {
  const rig = connected()
  rig.frame(child, request)
  rig.pass(1_999)
  t.same(rig.sent(child), [])
  rig.pass(1)
  t.same(rig.sent(child), [none])
})

t.test('without a parent there is none, and when it goes there is none either', async t => {
  const rig = new Rig()
  rig.open(child)
  rig.frame(child, request)
  rig.pass(0)
  t.same(rig.sent(child), [none])
  rig.open(parent)
  rig.frame(child, request)
  rig.pass(0)
  rig.effects()
  rig.close(parent)
  t.same(rig.sent(child), [none])
})

t.test('when another parent takes over, it is asked, and the children wait', async t => {
  const rig = connected()
  const other = link(101)
  rig.open(other)
  rig.frame(child, request)
  rig.pass(0)
  rig.effects()
  rig.close(parent)
  const effects = rig.effects()
  t.same(framesOf(effects, other), [request])
  t.same(framesOf(effects, child), [])
  rig.frame(other, answer)
  t.same(rig.sent(child), [answer])
})

t.test('a child that is gone is forgotten, and what only it wanted is not wanted', async t => {
  const rig = connected()
  rig.frame(child, request)
  rig.frame(second, request)
  rig.pass(0)
  rig.close(child)
  rig.frame(parent, answer)
  const effects = rig.effects()
  t.same(framesOf(effects, child), [])
  t.same(framesOf(effects, second), [answer])
  const alone = connected()
  alone.frame(child, request)
  alone.close(child)
  alone.pass(0)
  t.same(alone.effects(), [])
})

t.test('a child with made-up names makes the proxy ask for few at a time', async t => {
  const rig = connected()
  const most = limits.variantsAskedMax.value
  for (let index = 0; index < 1_000; index++) {
    rig.frame(child, { kind: 'request-variant', hash: variantOf(`${index}`).hash })
  }
  rig.pass(0)
  const effects = rig.effects()
  t.equal(framesOf(effects, parent).length, most)
  t.equal(framesOf(effects, child).length, 1_000 - most, 'the others are answered: there is none')
  rig.frame(second, request)
  for (let index = 0; index < most; index++) {
    rig.frame(parent, { kind: 'no-variant', hash: variantOf(`${index}`).hash })
  }
  rig.pass(0)
  t.match(rig.sent(parent), [request], 'and its neighbour has its turn')
})

t.test('a wrong text closes the link to the parent and reaches no child', async t => {
  const rig = connected()
  rig.frame(child, request)
  rig.pass(0)
  rig.effects()
  rig.frame(parent, { kind: 'variant', variant: { ...variant, code: encodeUtf8('evil()') } })
  t.match(rig.effects(), [{ kind: 'link-close', link: parent, code: 'FANFOLD_BAD_FRAME' }])
})

t.test('a variant comes down a chain of proxies, which then have it', async t => {
  const chain = new ProxyChain([239, 239, 239])
  chain.top.variant = variant
  chain.following.variants.want(toHex(hash))
  chain.settle()
  t.same(chain.variants, [true])
  t.same(chain.following.variants.get(toHex(hash)), variant)
  chain.top.variant = undefined
  chain.following.variants.drop(toHex(hash))
  chain.following.variants.want(toHex(hash))
  chain.settle()
  t.same(chain.variants, [true, true])
})

t.test('that there is none comes down a chain too', async t => {
  const chain = new ProxyChain([239, 239, 239])
  chain.following.variants.want(toHex(hash))
  chain.settle()
  t.same(chain.variants, [false])
})
