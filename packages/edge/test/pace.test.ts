import { type Instant, instant, milliseconds } from '@fanfold/kernel'
import t from 'tap'
import type { Cohort } from '../src/cohort.ts'
import { Paces, paceOf } from '../src/pace.ts'

const at = (ms: number): Instant => instant(ms * 1_000)
const cohort = (toldAt?: Instant): Cohort => ({ pace: milliseconds(100), toldAt }) as Cohort

t.test('paces are whole milliseconds up to a minute', async t => {
  t.equal(paceOf(undefined), undefined)
  t.equal(paceOf(1_000), milliseconds(1))
  t.equal(paceOf(300), milliseconds(4), 'never more than was asked for')
  t.equal(paceOf(4), milliseconds(250))
  t.equal(paceOf(0.000_001), milliseconds(60_000))
})

t.test('a cohort is due at once when it was quiet, else when its period is over', async t => {
  const paces = new Paces()
  const [quiet, told] = [cohort(at(0)), cohort(at(950))]
  for (const one of [quiet, told]) paces.rest(one)
  t.equal(paces.wakeAt(), undefined, 'nothing has happened')
  paces.wake(at(1_000))
  t.same(paces.due(at(1_000)), [quiet])
  paces.wake(at(1_010))
  t.equal(paces.wakeAt(), at(1_050))
  t.same(paces.due(at(1_050)), [told])
})

t.test('one that is gone is not due', async t => {
  const paces = new Paces()
  const one = cohort()
  paces.rest(one)
  paces.wakeOne(one, at(1))
  t.equal(paces.wakeAt(), at(1))
  paces.drop(one)
  t.equal(paces.wakeAt(), undefined)
})
