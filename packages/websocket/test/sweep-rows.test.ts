import t from 'tap'
import { type CohortMember, CohortRing } from '../src/cohort-ring.ts'
import { sweepRows } from '../src/sweep-rows.ts'

type Lane = { readonly name: string; readonly ring: CohortRing<CohortMember> }

/** A cohort of so many, each of which notes the cohort's name when it takes a frame. */
function laneOf(name: string, size: number, taken: string[]): Lane {
  const fail = () => t.fail('all is taken')
  const ring = new CohortRing<CohortMember>({
    bytesMax: 1_000,
    onLagging: fail,
    onMissed: fail,
    onOvertaken: fail,
  })
  const member: CohortMember = {
    slot: -1,
    takesDeflated: false,
    hasSignalsWaiting: false,
    wouldTake: () => true,
    take: () => taken.push(name) > 0,
  }
  for (let count = 0; count < size; count++) ring.enter(member, 0)
  ring.push(Buffer.from('frame'), 1)
  return { name, ring }
}

const namesOf = (lanes: Iterable<Lane>): string[] => [...lanes].map(({ name }) => name)

t.test('cohorts go through their passes side by side', async t => {
  const taken: string[] = []
  const lanes = new Set(['a', 'b', 'c'].map(name => laneOf(name, 40, taken)))
  t.same(namesOf(sweepRows(lanes, 1_000)), ['a', 'b', 'c'])
  t.equal(lanes.size, 0)
  const rows = [16, 16, 8].flatMap(row => ['a', 'b', 'c'].map(name => name.repeat(row)))
  t.equal(taken.join(''), rows.join(''))
})

t.test('a small cohort does not wait for a large one, and a large one has larger rows', async t => {
  const taken: string[] = []
  const lanes = new Set([laneOf('l', 3_200, taken), laneOf('s', 3, taken)])
  t.same(namesOf(sweepRows(lanes, 512)), ['s'])
  t.equal(taken.slice(0, 103).join(''), `${'l'.repeat(100)}sss`)
  t.equal(taken.length, 512, 'who is alone has all that is left')
})

t.test('what one call leaves is where the next one goes on', async t => {
  const taken: string[] = []
  const lanes = new Set(['a', 'b', 'c'].map(name => laneOf(name, 20, taken)))
  t.same(namesOf(sweepRows(lanes, 40)), [])
  t.same(namesOf(lanes), ['a', 'b', 'c'])
  t.same(namesOf(sweepRows(lanes, 1_000)), ['a', 'b', 'c'])
  t.equal(taken.join('').slice(40), `aaaabbbb${'c'.repeat(12)}`)
})
