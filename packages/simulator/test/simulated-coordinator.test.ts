import { testCoordinatorPort } from '@fanfold/conformance'
import { instant, Prng } from '@fanfold/kernel'
import { CoordinationSpace, type CoordinatorInput } from '@fanfold/topology'
import t from 'tap'
import { SimulatedCoordinator } from '../src/simulated-coordinator.ts'
import { spaceTimeOf } from '../src/space-time.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const placementsMax = 5

/** A space, and coordinators at its ends. */
function makeRig(): {
  clock: VirtualClock
  space: CoordinationSpace
  open: (receive: (input: CoordinatorInput) => void) => SimulatedCoordinator
  setAway: (isAway: boolean) => void
} {
  const clock = new VirtualClock()
  const space = new CoordinationSpace({ time: spaceTimeOf(clock), limits: { placementsMax } })
  const coordinators: SimulatedCoordinator[] = []
  let isNowAway = false
  return {
    clock,
    space,
    open: receive => {
      const prng = new Prng(`coordinator ${coordinators.length}`)
      const coordinator = new SimulatedCoordinator({ clock, prng, space, receive })
      coordinator.setAway(isNowAway)
      coordinators.push(coordinator)
      return coordinator
    },
    setAway: isAway => {
      isNowAway = isAway
      for (const coordinator of coordinators) coordinator.setAway(isAway)
    },
  }
}

testCoordinatorPort(t, async () => {
  const { clock, space, open, setAway } = makeRig()
  return {
    open,
    advance: () => clock.step(instant(Number.MAX_SAFE_INTEGER)),
    placementsMax,
    setReachable: isReachable => setAway(!isReachable),
    clear: () => space.clear(),
    close: async () => undefined,
  }
})

t.test('an interruption that is over soon is not noticed, and nothing of it is lost', t => {
  const { clock, open, setAway } = makeRig()
  const inputs: CoordinatorInput[] = []
  const coordinator = open(input => inputs.push(input))
  coordinator.perform({ kind: 'coordinator-watch' })
  setAway(true)
  coordinator.perform({
    kind: 'coordinator-announce',
    announcement: 1 as never,
    node: 'a',
    incarnation: '1',
    bytes: Buffer.from('a'),
  })
  clock.runUntil(instant(1_900_000))
  t.same(inputs, [])
  setAway(false)
  clock.runUntil(instant(3_000_000))
  t.ok(inputs.some(({ kind }) => kind === 'announced'))
  t.notOk(inputs.some(({ kind }) => kind === 'coordinator-lost'))
  t.end()
})

t.test('whose process is gone is told nothing more', t => {
  const { clock, open } = makeRig()
  const inputs: CoordinatorInput[] = []
  const coordinator = open(input => inputs.push(input))
  coordinator.perform({ kind: 'coordinator-watch' })
  coordinator.stop()
  clock.runUntil(instant(5_000_000))
  t.same(inputs, [])
  t.end()
})
