import { sha256 } from '@fanfold/conformance'
import { decodeUtf8, encodeUtf8, Prng, toHex } from '@fanfold/kernel'
import t from 'tap'
import { subjects } from '../src/board.ts'
import { type BoardRules, drawRules, labelOf, openRules, rulesUpTo } from '../src/board-rules.ts'
import { BoardVariants } from '../src/board-variants.ts'
import { plainMarkers } from '../src/marker.ts'

const labelled: BoardRules = {
  ...openRules,
  privacy: [
    { pattern: '/title', kind: 'member', note: 'title' },
    { pattern: '/vault/notes/*', kind: 'premium', note: 'notes' },
    { pattern: '/roles/*', kind: 'own', note: 'roles' },
  ],
  labels: [
    { pattern: '/vault', label: 1, note: 'vault' },
    { pattern: '/roles/*', label: 2, note: 'roles' },
  ],
}

t.test('a variant knows the rules and labels up to its ceiling', async t => {
  const patternsAt = (ceiling: number) =>
    rulesUpTo(labelled, ceiling).privacy.map(({ pattern }) => pattern)
  t.same(patternsAt(0), ['/title'])
  t.same(patternsAt(1), ['/title', '/vault/notes/*'])
  t.same(patternsAt(2), ['/title', '/vault/notes/*', '/roles/*'])
  t.equal(labelOf(labelled, '/vault/notes/*'), 1)
  t.equal(labelOf(labelled, '/title'), 0)
  const built = new BoardVariants(sha256).build(labelled)
  t.same(
    built.variants.map(({ ceiling }) => ceiling),
    [0, 1, 2],
  )
})

t.test('what runs is made of the text, which its name verifies', async t => {
  const variants = new BoardVariants(sha256)
  const [first] = variants.build(labelled).variants
  t.ok(first)
  if (first === undefined) return
  const { variant } = first
  t.same(
    variants.run(variant)?.rules.map(({ pattern }) => pattern.text),
    ['/title'],
  )
  t.equal(variants.run({ ...variant, code: encodeUtf8('{}') }), undefined)
  t.ok(variants.definitionOf(toHex(variant.hash)).isOpen)
  t.throws(() => variants.definitionOf('00'), /that was built/)
})

t.test('every definition that is drawn is sound, and they differ', async t => {
  const prng = new Prng('rules')
  const variants = new BoardVariants(sha256)
  const seen = new Set<string>()
  for (let index = 0; index < 300; index++) {
    const rules = drawRules(prng, subjects)
    for (const { ceiling, variant } of variants.build(rules).variants) {
      seen.add(toHex(variant.hash))
      for (const marker of plainMarkers(decodeUtf8(variant.code) ?? '')) {
        if ((variants.noteLabel(marker) ?? 255) > ceiling) t.fail(`${marker} is above ${ceiling}`)
      }
    }
  }
  t.ok(seen.size > 300)
})
