import { sha256 } from '@fanfold/conformance'
import { encodeUtf8, instant, Prng } from '@fanfold/kernel'
import type { SignedVariant } from '@fanfold/protocol'
import t from 'tap'
import { openRules } from '../src/board-rules.ts'
import { BoardVariants } from '../src/board-variants.ts'
import { VariantLoads } from '../src/variant-loads.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

/** Loads a variant of the open board, or what `change` makes of it; returns what the edge hears. */
function load(failShare: number, change: Partial<SignedVariant> = {}, isHealed = false): string[] {
  const clock = new VirtualClock()
  const variants = new BoardVariants(sha256)
  const heard: string[] = []
  const loads = new VariantLoads({
    clock,
    prng: new Prng('loads'),
    loadMs: 10,
    failShare,
    isHealed: () => isHealed,
    variants,
    receive: answer => heard.push(`${answer.kind} ${'message' in answer ? answer.message : ''}`),
  })
  const [first] = variants.build(openRules).variants
  if (first === undefined) return []
  loads.load({ ...first.variant, ...change })
  t.same(heard, [], 'it takes a while')
  clock.runUntil(instant(1_000_000))
  return heard
}

t.test('a variant is run some time after it came', async t => {
  t.same(load(0), ['variant-loaded '])
})

t.test(
  'one that cannot be run now, and one that is not what its name says, are refused',
  async t => {
    t.same(load(1), ['variant-refused it cannot be run now'])
    t.same(load(0, { code: encodeUtf8('{}') }), ['variant-refused it is not what its name says'])
  },
)

t.test('once faults have stopped none fails any more', async t => {
  t.same(load(1, {}, true), ['variant-loaded '])
})
