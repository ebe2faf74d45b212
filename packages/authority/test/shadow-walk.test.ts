/*
 * Random walks: a large document is written, its shadow lost, its worker slow, children come and go; in
 * the end each child has the state, or was told to ask again.
 */
import type { LinkFrame } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { framesOf, link, replicaOf, send } from './build-document.ts'
import { LargeRig } from './large-rig.ts'

const aStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('grow' as const),
      bytes: fc.integer({ min: 1_000, max: 39_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('drop' as const),
      left: fc.integer({ min: 0, max: 8 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('answer' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.integer({ min: 1, max: 4_000 }),
    }),
  },
)

type Step = typeof aStep extends fc.Arbitrary<infer Made> ? Made : never

function take(rig: LargeRig, step: Step, children: number[]): void {
  switch (step.kind) {
    case 'write':
      rig.write({ id: `id-${rig.log.records.length}` })
      return
    case 'grow':
      rig.grow(step.bytes)
      return
    case 'drop':
      rig.write({ action: send('drop', { left: step.left }) })
      return
    case 'join':
      children.push(children.length + 1)
      rig.join(link(children.length))
      return
    case 'lose':
      if (rig.worker.count > 0) rig.lose()
      return
    case 'answer':
      rig.answer()
      return
    case 'pass':
      rig.pass(step.ms)
  }
}

/** What a child has that was sent these frames: its state, or that it was told to ask again. */
function outcomeOf(frames: readonly LinkFrame[]): unknown {
  const refused = frames.findLast(({ kind }) => kind === 'refused')
  if (refused?.kind === 'refused') return refused.retryAfterMs > 0 ? 'asks again' : refused.code
  return JSON.stringify(replicaOf(frames).state())
}

t.test('whatever happens to its shadow, each child has the state or asks again', async t => {
  const law = fc.property(fc.array(aStep, { minLength: 5, maxLength: 60 }), steps => {
    const rig = new LargeRig({ limits: { snapshotEveryRecords: 12 } })
    for (let count = 0; count < 4; count++) rig.grow(39_000)
    rig.isPrompt = false
    const children: number[] = []
    for (const step of steps) take(rig, step, children)
    rig.isPrompt = true
    rig.answer()
    rig.settle()
    rig.pass(20_000)
    const effects = rig.effects()
    const expected = JSON.stringify(rig.stateAtChild(link(9_999)))
    const next = rig.restarted()
    if (JSON.stringify(next.stateAtChild(link(9_999))) !== expected) return false
    return children.every(child => {
      const outcome = outcomeOf(framesOf(effects, link(child)))
      return outcome === expected || outcome === 'asks again'
    })
  })
  t.doesNotThrow(() => fc.assert(law, { numRuns: 150 }))
})
