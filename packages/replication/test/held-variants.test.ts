import t from 'tap'
import { HeldVariants } from '../src/held-variants.ts'
import { variantOf } from './build-variant.ts'

const sizeOf = (text: string): number => {
  const held = new HeldVariants(1_000_000)
  const { name, variant } = variantOf(text)
  held.put(name, variant)
  return held.bytes
}

t.test('what was put is there by its name, once', async t => {
  const held = new HeldVariants(10_000)
  const { name, variant } = variantOf('a')
  t.equal(held.get(name), undefined)
  held.put(name, variant)
  held.put(name, variant)
  t.equal(held.get(name), variant)
  t.match(held, { count: 1, bytes: sizeOf('a') })
})

t.test('at the limit all stay; past it the least recently used goes', async t => {
  const [a, b, c] = ['a', 'b', 'c'].map(variantOf)
  const held = new HeldVariants(2 * sizeOf('a'))
  for (const one of [a, b]) if (one !== undefined) held.put(one.name, one.variant)
  t.equal(held.count, 2)
  t.ok(held.get(a?.name ?? ''))
  if (c !== undefined) held.put(c.name, c.variant)
  t.equal(held.get(b?.name ?? ''), undefined)
  t.ok(held.get(a?.name ?? ''))
  t.ok(held.get(c?.name ?? ''))
})

t.test('one that is larger than the limit is not held', async t => {
  const held = new HeldVariants(sizeOf('a'))
  const { name, variant } = variantOf('ab')
  held.put(name, variant)
  t.match(held, { count: 0, bytes: 0 })
})

t.test('what is dropped is gone, and its bytes are free', async t => {
  const held = new HeldVariants(10_000)
  const { name, variant } = variantOf('a')
  held.put(name, variant)
  held.drop(name)
  held.drop(name)
  t.equal(held.get(name), undefined)
  t.match(held, { count: 0, bytes: 0 })
})
