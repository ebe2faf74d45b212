import { createHash } from 'node:crypto'
import type { Sha256 } from '@fanfold/kernel'
import fc from 'fast-check'
import t from 'tap'
import {
  type ConfiguredView,
  describeDifferences,
  differences,
  fingerprintOf,
  parseView,
  viewText,
} from '../src/fingerprint.ts'

const sha256: Sha256 = (input, target, offset) =>
  target.set(createHash('sha256').update(input).digest(), offset)

const view: ConfiguredView = { heartbeatMs: 1_000, memberDeadAfterMs: 5_000, redis: 'rediss://r/0' }
const anyView = fc.dictionary(
  fc.string({ maxLength: 10 }),
  fc.oneof(fc.string({ maxLength: 10 }), fc.integer(), fc.boolean()),
  { maxKeys: 8 },
)

await t.test('the fingerprint of a view is the SHA-256 of its text', async t => {
  t.equal(
    viewText(view),
    '[["heartbeatMs",1000],["memberDeadAfterMs",5000],["redis","rediss://r/0"]]',
  )
  t.equal(fingerprintOf(view, sha256), createHash('sha256').update(viewText(view)).digest('hex'))
})

await t.test('the order in which settings are made does not matter', async t => {
  const turned = Object.fromEntries(Object.entries(view).toReversed())
  t.equal(fingerprintOf(turned, sha256), fingerprintOf(view, sha256))
})

await t.test('views have one fingerprint exactly when nothing differs', async t => {
  fc.assert(
    fc.property(anyView, anyView, (one, other) => {
      const isSame = fingerprintOf(one, sha256) === fingerprintOf(other, sha256)
      return isSame === (differences(one, other).length === 0)
    }),
  )
  fc.assert(
    fc.property(anyView, view => {
      const parsed = parseView(viewText(view))
      return parsed !== undefined && differences(view, parsed).length === 0
    }),
  )
  t.pass('100 pairs, 100 views')
})

await t.test('the differing entries are named, a trailing slash too', async t => {
  const { heartbeatMs: _, ...rest } = view
  const found = differences(view, { ...rest, redis: 'rediss://r/0/', more: true })
  t.same(found, [
    { name: 'heartbeatMs', ours: 1_000, theirs: undefined },
    { name: 'more', ours: undefined, theirs: true },
    { name: 'redis', ours: 'rediss://r/0', theirs: 'rediss://r/0/' },
  ])
  t.equal(
    describeDifferences(found),
    'heartbeatMs is 1000 here and not set there; more is not set here and true there; redis is "rediss://r/0" here and "rediss://r/0/" there',
  )
})

await t.test('a text that is no view is none', async t => {
  for (const text of ['', '{}', '[1]', '[["a"]]', '[["a",null]]', '[[1,2]]', '[["a",1,2]]']) {
    t.equal(parseView(text), undefined, text)
  }
  t.equal(parseView(`[["a","${'x'.repeat(4_096)}"]]`), undefined)
})

await t.test('a view that is too large is our own bug', async t => {
  t.throws(() => fingerprintOf({ a: 'x'.repeat(4_096) }, sha256), /at most 4096 bytes, got 4106/)
})
