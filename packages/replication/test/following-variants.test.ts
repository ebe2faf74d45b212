import t from 'tap'
import { framesOf, link } from './build-stream.ts'
import { variantOf } from './build-variant.ts'
import { first, linkEffects, Rig, second } from './following-rig.ts'

const one = variantOf('one')

const request = { kind: 'request-variant', hash: one.variant.hash }

t.test('a variant that is wanted is asked of the serving parent in the next turn', async t => {
  const rig = new Rig()
  rig.open()
  rig.open(second)
  t.ok(rig.following.variants.want(one.name))
  t.equal(rig.following.wakeAt(), rig.now)
  rig.pass(0)
  const effects = linkEffects(rig.effects())
  t.match(framesOf(effects, first), [request])
  t.same(framesOf(effects, second), [])
  rig.take([{ kind: 'variant', variant: one.variant }], second)
  t.same(rig.variants, [], 'another parent is not listened to')
  rig.take([{ kind: 'variant', variant: one.variant }])
  t.same(rig.variants, [{ hash: one.name, isHere: true }])
  t.same(rig.following.variants.get(one.name), one.variant)
  t.equal(rig.following.wakeAt(), undefined)
})

t.test('when the parent goes, the next one is asked at once', async t => {
  const rig = new Rig()
  rig.open()
  rig.open(second)
  rig.following.variants.want(one.name)
  rig.pass(0)
  rig.effects()
  rig.close()
  t.match(rig.sent(second), [request])
  t.same(rig.variants, [])
  rig.close(second)
  t.same(rig.variants, [{ hash: one.name, isHere: false }], 'and with the last one it is told')
  rig.open(link(3))
  t.match(rig.sent(link(3)), [request])
})

t.test('an answer that does not come is told in time', async t => {
  const rig = new Rig()
  rig.open()
  rig.following.variants.want(one.name)
  rig.pass(0)
  t.equal(rig.following.wakeAt(), rig.now + 2_000_000)
  rig.pass(2_000)
  t.same(rig.variants, [{ hash: one.name, isHere: false }])
})

t.test('a wrong text closes the link', async t => {
  const rig = new Rig()
  rig.open()
  rig.following.variants.want(one.name)
  rig.pass(0)
  rig.effects()
  rig.take([{ kind: 'variant', variant: { ...one.variant, code: new Uint8Array(1) } }])
  t.match(rig.effects(), [{ kind: 'link-close', link: first, code: 'FANFOLD_BAD_FRAME' }])
  t.equal(rig.following.variants.get(one.name), undefined)
})

t.test('what is wanted no more is told no more; what is dropped is asked for anew', async t => {
  const rig = new Rig()
  rig.open()
  rig.following.variants.want(one.name)
  rig.pass(0)
  rig.following.variants.unwant(one.name)
  rig.take([{ kind: 'no-variant', hash: one.variant.hash }])
  t.same(rig.variants, [])
  rig.following.variants.want(one.name)
  rig.pass(0)
  rig.take([{ kind: 'variant', variant: one.variant }])
  rig.effects()
  rig.following.variants.drop(one.name)
  t.equal(rig.following.variants.get(one.name), undefined)
  rig.following.variants.want(one.name)
  rig.pass(0)
  t.match(rig.sent(), [request])
})
