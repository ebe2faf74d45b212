import { sha256 } from '@fanfold/conformance'
import type { Instant } from '@fanfold/kernel'
import { ViewRules } from '@fanfold/privacy'
import { type CohortId, zeroPosition } from '@fanfold/protocol'
import t from 'tap'
import { Cohorts } from '../src/cohorts.ts'
import { pointSaltBytes, ResumePoints } from '../src/resume-point.ts'
import { define, doc } from './edge-log.ts'

const viewKey = '0'.repeat(32)
const place = { ...zeroPosition, epoch: 1, seq: 5, timeMs: 1 }
const audience = { audience: {}, clearance: 0, viewState: undefined, pace: undefined, key: 'all' }

/** Cohorts of a definition whose view counts how often it is made. */
function counted(): { readonly cohorts: Cohorts; made(): number } {
  let made = 0
  const view = (visible: unknown): unknown => {
    made++
    return visible
  }
  const rules = new ViewRules(define({ view }))
  const points = new ResumePoints(sha256, viewKey)
  const terms = { doc, variant: 'a'.repeat(64), viewKey, rules, points, isDense: false }
  const limits = { cohortsMax: 2, cachedBytesMax: 10_000 }
  let id = 0
  const names = {
    wrote: () => undefined,
    nextCohort: () => ++id as CohortId,
    salt: () => new Uint8Array(pointSaltBytes),
  }
  return {
    cohorts: new Cohorts({
      terms,
      limits,
      names,
      size: { isLarge: false },
      spending: { allowance: undefined },
    }),
    made: () => made,
  }
}

t.test('a snapshot is made once for all that come, and anew once it was given up', async t => {
  const { cohorts, made } = counted()
  const state = { secret: 1 }
  const cohort = cohorts.of(audience, place, state)
  if (cohort === undefined) throw new Error('there is room')
  cohorts.enter(cohort)
  const [before] = cohorts.framesOf(cohort, state, 0)
  const madeBefore = made()
  t.equal(cohorts.framesOf(cohort, state, 0)[0], before, 'the very same bytes')
  t.equal(made(), madeBefore)
  cohorts.giveUp()
  const [after] = cohorts.framesOf(cohort, {}, 0)
  t.ok(made() > madeBefore, 'nothing of it was kept')
  t.notMatch(Buffer.from(after ?? []).toString(), /secret/)
})

t.test('a snapshot that is older than what a viewer has seen is not for it', async t => {
  const { cohorts } = counted()
  const state = { text: 'x'.repeat(2_000) }
  const cohort = cohorts.of(audience, place, state)
  if (cohort === undefined) throw new Error('there is room')
  const [before] = cohorts.framesOf(cohort, state, 5)
  cohorts.advance(cohort, { ...place, seq: 6 }, new Uint8Array(2), 0 as Instant)
  t.equal(cohorts.framesOf(cohort, state, 5)[0], before)
  t.not(cohorts.framesOf(cohort, state, 6)[0], before)
})

t.test('a mark of before a snapshot to all stands for nothing, wherever that went on', async t => {
  const { cohorts } = counted()
  const cohort = cohorts.of(audience, place, {})
  if (cohort === undefined) throw new Error('there is room')
  cohorts.advance(cohort, { ...place, seq: 9 }, new Uint8Array(2), 0 as Instant)
  const before = cohort.mark
  t.equal(cohort.seqOf(before), 9)
  // The history is another one, and has got less far.
  cohorts.restart(cohort, { ...place, epoch: 2, seq: 6 }, {})
  t.equal(cohort.seqOf(before), undefined)
  t.equal(cohort.seqOf(cohort.mark), 6)
  cohorts.advance(cohort, { ...place, epoch: 2, seq: 10 }, new Uint8Array(2), 0 as Instant)
  t.equal(cohort.seqOf(cohort.mark), 10)
  t.equal(cohort.seqOf(before), undefined)
})

t.test('there are no more cohorts than may be', async t => {
  const { cohorts } = counted()
  for (const key of ['a', 'b']) t.ok(cohorts.of({ ...audience, key }, place, {}))
  t.equal(cohorts.of({ ...audience, key: 'c' }, place, {}), undefined)
  t.ok(cohorts.of({ ...audience, key: 'a' }, place, {}), 'one that is there')
})
