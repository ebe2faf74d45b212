import { applySum, type Reduction, rollup, type Voice, watchedBy } from 'fanfold'
import t from 'tap'
import definition from '../definition.ts'
import { emptyRace, type RaceState } from '../race.ts'
import { play } from './play.ts'

type Said = { readonly value: unknown; readonly id?: string; readonly stamp?: number }

const nobodys = { id: 'ann', stamp: 0, timeMs: 0, draw: () => 0 }

/** Does what the definition does with what a crowd has said. */
function hear(race: RaceState, name: 'cheer' | 'driverOfTheDay', all: readonly Said[]): void {
  const { of, into, schema } = definition.reducers[name]
  const operands = all.map(({ value, ...more }) => {
    const valid = schema['~standard'].validate(value)
    if (valid instanceof Promise || valid.issues !== undefined) throw new Error('no valid value')
    const voice = { ...nobodys, ...more }
    return [of(valid.value, voice), voice] as const
  })
  apply(race, { name, into, operands })
}

/** Does what the definition does with a sum. */
function apply(
  race: RaceState,
  said: {
    readonly name: string
    readonly into: Reduction<never, unknown, unknown>
    readonly operands: readonly (readonly [operand: unknown, voice: Voice])[]
    readonly timeMs?: number
  },
): void {
  const { name, into, operands, timeMs = 0 } = said
  let sum = into.empty()
  for (const [operand, voice] of operands) sum = into.fold(sum as never, operand as never, voice)
  const found = applySum(definition, name, into.shape, into.encode(sum as never))
  if (!found.ok) throw new Error(found.message)
  found.apply(race, { timeMs })
}

const forCar = (car: number, more: Omit<Said, 'value'> = {}): Said => ({ value: { car }, ...more })

t.test('cheers for a car add up, until the next race', async t => {
  const race = emptyRace()
  hear(race, 'cheer', [forCar(8), forCar(27), forCar(8)])
  hear(race, 'cheer', [forCar(8)])
  t.same(race.crowd.cheers, { 8: 3, 27: 1 })
  play(race, { message: 'newRace', value: { name: 'Next', circuit: 'Ring', laps: 3, entries: [] } })
  t.same(race.crowd.cheers, {})
})

t.test('cheers for every car that there may be are counted, none too low', async t => {
  const race = emptyRace()
  const cars = Array.from({ length: 99 }, (_, at) => at + 1)
  hear(
    race,
    'cheer',
    [...cars, ...cars].map(car => forCar(car)),
  )
  t.same(new Set(Object.values(race.crowd.cheers)), new Set([2]))
  t.throws(() => hear(race, 'cheer', [forCar(100)]), { message: 'no valid value' })
})

t.test('each voter has one vote, the latest', async t => {
  const race = emptyRace()
  hear(race, 'driverOfTheDay', [forCar(8), forCar(27, { id: 'ben' })])
  t.same(race.crowd.votes, { 8: 1, 27: 1 })
  const changed = [forCar(27, { stamp: 2 }), forCar(8, { stamp: 1 })]
  hear(race, 'driverOfTheDay', changed)
  t.same(race.crowd.votes, { 8: 0, 27: 2 })
  hear(race, 'driverOfTheDay', changed)
  t.same(race.crowd.votes, { 8: 0, 27: 2 }, 'a vote that comes twice counts once')
  play(race, { message: 'newRace', value: { name: 'Next', circuit: 'Ring', laps: 3, entries: [] } })
  t.same([race.crowd.votes, race.ballots], [{}, {}])
})

t.test('viewers that follow a car are looks at it', async t => {
  const watching = (viewState: unknown) => watchedBy(definition, 'followed', viewState)
  t.same(watching({ car: 8 }), { ok: true, operand: '8' })
  t.same(watching(undefined), { ok: true, operand: undefined }, 'who follows none')
  const race = emptyRace()
  for (const timeMs of [1_000, 90_000]) {
    for (const [name, { into }] of Object.entries(definition.watched)) {
      apply(race, { name, into, operands: [['8', nobodys]], timeMs })
    }
  }
  t.same([...rollup.read(race.crowd.looks, 'minute')], [['8', 1]])
  t.same([...rollup.read(race.crowd.looks, 'hour')], [['8', 2]])
})

t.test('the race knows how many watch, and a new one does not forget it', async t => {
  const race = emptyRace()
  definition.presence?.apply(race, 1_200_000, { timeMs: 0 })
  play(race, { message: 'newRace', value: { name: 'Next', circuit: 'Ring', laps: 3, entries: [] } })
  t.equal(race.crowd.viewers, 1_200_000)
})

t.test('nobody is shown who voted for whom', async t => {
  t.same(
    definition.rules.map(({ pattern }) => pattern.text),
    ['/ballots'],
  )
  const context = { key: '', keys: [], reads: {} }
  t.equal(definition.rules[0]?.allow({}, context), false)
})
