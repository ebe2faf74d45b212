import type { CohortId } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { RimCohorts } from '../src/rim-cohorts.ts'

type Viewer = { readonly name: number; readonly seats: Map<CohortId, number> }

const a = 1 as CohortId
const b = 2 as CohortId
const viewer = (name = 0): Viewer => ({ name, seats: new Map() })

t.test('who enters a cohort has a seat there, and the mark that it entered by', async t => {
  const cohorts = new RimCohorts<Viewer>()
  const one = viewer()
  cohorts.enter(a, one, 7)
  t.same([...cohorts.of(a)], [one])
  t.same([...one.seats], [[a, 7]])
  t.equal(cohorts.of(b).size, 0)
})

t.test('who enters again keeps its one seat, as of the later mark', async t => {
  const cohorts = new RimCohorts<Viewer>()
  const one = viewer()
  cohorts.enter(a, one, 7)
  cohorts.enter(a, one, 9)
  t.equal(cohorts.of(a).size, 1)
  t.same([...one.seats], [[a, 9]])
})

t.test('a cohort is there as long as it has a viewer', async t => {
  const cohorts = new RimCohorts<Viewer>()
  const [one, other] = [viewer(), viewer()]
  cohorts.enter(a, one, 0)
  cohorts.enter(a, other, 0)
  cohorts.leave(a, one)
  t.equal(cohorts.count, 1)
  cohorts.leave(a, other)
  t.equal(cohorts.count, 0)
  t.equal(cohorts.of(a).size, 0)
})

t.test('who leaves where it does not sit takes nobody else’s seat', async t => {
  const cohorts = new RimCohorts<Viewer>()
  const one = viewer()
  cohorts.enter(a, one, 0)
  cohorts.leave(a, viewer())
  cohorts.leave(b, one)
  t.same([...cohorts.of(a)], [one])
  t.equal(cohorts.count, 1)
})

t.test('a cohort may be left by those who are gone through', async t => {
  const cohorts = new RimCohorts<Viewer>()
  const viewers = [viewer(), viewer(), viewer()]
  for (const one of viewers) cohorts.enter(a, one, 0)
  const met: Viewer[] = []
  for (const one of cohorts.of(a)) {
    met.push(one)
    cohorts.leave(a, one)
  }
  t.same(met, viewers)
  t.equal(cohorts.count, 0)
})

const step = fc.record({
  kind: fc.constantFrom('enter', 'enter', 'enter', 'leave', 'leave-all'),
  viewer: fc.nat(3),
  cohort: fc.nat(3),
})

t.test('a viewer knows a seat exactly when the cohort knows the viewer', async t => {
  const law = fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const cohorts = new RimCohorts<Viewer>()
    const viewers = [0, 1, 2, 3].map(viewer)
    const model = new Set<string>()
    for (const { kind, viewer: at, cohort } of steps) {
      const one = viewers[at] ?? viewer()
      const id = cohort as CohortId
      if (kind === 'enter') {
        cohorts.enter(id, one, 0)
        model.add(`${at} ${id}`)
      } else if (kind === 'leave') {
        cohorts.leave(id, one)
        model.delete(`${at} ${id}`)
      } else {
        cohorts.leaveAll(one)
        for (const seat of [...model]) if (seat.startsWith(`${at} `)) model.delete(seat)
      }
    }
    const byViewers = viewers.flatMap(({ name, seats }) =>
      [...seats.keys()].map(id => `${name} ${id}`),
    )
    const byCohorts = [0, 1, 2, 3].flatMap(id =>
      [...cohorts.of(id as CohortId)].map(({ name }) => `${name} ${id}`),
    )
    const cohortsMet = new Set([...model].map(seat => seat.split(' ')[1]))
    return (
      [...model].sort().join() === byViewers.sort().join() &&
      byViewers.join() === byCohorts.sort().join() &&
      cohorts.count === cohortsMet.size
    )
  })
  t.doesNotThrow(() => fc.assert(law))
})
