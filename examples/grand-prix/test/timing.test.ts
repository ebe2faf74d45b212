import t from 'tap'
import { carOf, emptyRace, formatLap, type Race } from '../race.ts'
import { play } from './play.ts'

/** A race of three cars that has begun: 1, 2, 3, in this order. */
function startedRace(laps = 3): Race {
  const race = emptyRace()
  const entry = {
    code: 'AAA',
    driver: 'A',
    team: 'T',
    colour: '#ffffff',
    compound: 'hard',
  } as const
  const entries = [1, 2, 3].map(number => ({ ...entry, number, code: `CA${number}` }))
  play(race, { message: 'newRace', value: { name: 'Test', circuit: 'Ring', laps, entries } })
  play(race, { message: 'formation', value: {} })
  play(race, { message: 'lights', value: { lit: 0 } })
  return race
}

/** `car` passes the end of `sector` at `atMs`. */
function pass(race: Race, car: number, sector: number, atMs: number, ms = 25_000): void {
  play(race, { message: 'sector', value: { car, sector, ms, segmentMs: 4_000, atMs } })
}

t.test('gap is behind the first at the loop, interval behind the one before', async t => {
  const race = startedRace()
  pass(race, 1, 1, 25_000)
  pass(race, 2, 1, 25_400)
  pass(race, 3, 1, 26_000)
  t.same([carOf(race, 1).gapMs, carOf(race, 1).intervalMs], [null, null])
  t.same([carOf(race, 2).gapMs, carOf(race, 2).intervalMs], [400, 400])
  t.same([carOf(race, 3).gapMs, carOf(race, 3).intervalMs], [1_000, 600])
})

t.test(
  'a car that passes the loop first takes the place, the other loses place and gaps',
  async t => {
    const race = startedRace()
    pass(race, 1, 1, 25_000)
    pass(race, 2, 1, 25_400)
    pass(race, 2, 2, 50_000)
    t.equal(carOf(race, 2).position, 1)
    t.equal(carOf(race, 1).position, 2)
    t.equal(carOf(race, 1).gapMs, null)
    pass(race, 1, 2, 50_300)
    t.equal(carOf(race, 1).gapMs, 300)
  },
)

t.test('a sector is a best of all, an own best, or slower', async t => {
  const race = startedRace()
  pass(race, 1, 1, 25_000, 25_000)
  pass(race, 2, 1, 25_400, 25_400)
  t.equal(carOf(race, 1).sectors[1]?.mark, 'overall')
  t.equal(carOf(race, 2).sectors[1]?.mark, 'personal')
  pass(race, 2, 1, 99_000, 25_500)
  t.equal(carOf(race, 2).sectors[1]?.mark, 'slower')
  t.same(race.best.sectors[1], { car: 1, value: 25_000 })
})

t.test('the line completes laps, and the last lap of the first ends the race', async t => {
  const race = startedRace(1)
  for (const [sector, atMs] of [
    [1, 25_000],
    [2, 50_000],
    [3, 75_000],
  ] as const) {
    for (const car of [1, 2, 3]) pass(race, car, sector, atMs + car * 100)
    if (sector === 2) t.equal(race.session.phase, 'racing')
  }
  t.equal(race.session.phase, 'finished')
  t.match(race.winners[1], { code: 'CA1' })
  t.equal(carOf(race, 3).status, 'finished')
  t.equal(carOf(race, 2).lastLapMs, 75_200)
})

t.test('lights of a sector go out when the car comes back to it', async t => {
  const race = startedRace()
  for (let segment = 1; segment <= 5; segment++) {
    play(race, { message: 'segment', value: { car: 1, sector: 1, segment, ms: 4_000 } })
  }
  pass(race, 1, 1, 25_000)
  t.same(carOf(race, 1).sectors[1]?.segments, new Array(6).fill('slower'))
  play(race, { message: 'segment', value: { car: 1, sector: 1, segment: 1, ms: 4_000 } })
  t.same(carOf(race, 1).sectors[1]?.segments.slice(1), new Array(5).fill('none'))
})

t.test('a car that stops falls behind everybody', async t => {
  const race = startedRace()
  pass(race, 1, 1, 25_000)
  play(race, { message: 'retire', value: { car: 1, reason: 'gearbox' } })
  t.same(
    [1, 2, 3].map(car => carOf(race, car).position),
    [3, 1, 2],
  )
  t.match(Object.values(race.notices).at(-1), { text: 'CAR 1 (CA1) STOPPED: GEARBOX' })
})

t.test('tyres age by laps and are new after a stop', async t => {
  const race = startedRace()
  for (const sector of [1, 2, 3]) pass(race, 1, sector, sector * 25_000)
  t.same(carOf(race, 1).tyre, { compound: 'hard', laps: 1 })
  play(race, { message: 'pitIn', value: { car: 1 } })
  t.equal(carOf(race, 1).status, 'pit')
  play(race, { message: 'pitOut', value: { car: 1, compound: 'soft', stationaryMs: 2_300 } })
  t.same(carOf(race, 1).tyre, { compound: 'soft', laps: 0 })
  t.equal(carOf(race, 1).pits, 1)
})

t.test('a message about a car that is not there is refused', async t => {
  const race = startedRace()
  t.throws(() => pass(race, 99, 1, 25_000), { message: 'car 99 is not in race 1' })
})

t.test('notices are the latest twelve', async t => {
  const race = startedRace()
  for (let index = 0; index < 30; index++) {
    play(race, { message: 'notice', value: { text: `notice ${index}` } })
  }
  t.equal(Object.keys(race.notices).length, 12)
  t.match(Object.values(race.notices).at(-1), { text: 'notice 29' })
})

t.test('a lap reads as people write it', async t => {
  t.equal(formatLap(74_302), '1:14.302')
  t.equal(formatLap(65_009), '1:05.009')
  t.equal(formatLap(9_500), '9.500')
})
