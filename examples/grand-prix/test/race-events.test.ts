import t from 'tap'
import { type RaceEvent, raceEvents } from '../feed/race-events.ts'
import { schemas } from '../messages.ts'
import { emptyRace } from '../race.ts'
import { play } from './play.ts'

/** The first `count` events. */
function take(seed: string, count: number): RaceEvent[] {
  const events: RaceEvent[] = []
  for (const event of raceEvents(seed)) {
    events.push(event)
    if (events.length === count) break
  }
  return events
}

t.test('the same seed gives the same races, another seed others', async t => {
  const first = JSON.stringify(take('1', 6_000))
  t.equal(JSON.stringify(take('1', 6_000)), first)
  t.not(JSON.stringify(take('2', 6_000)), first)
})

t.test('races follow one another, and each has a winner', async t => {
  const race = emptyRace()
  for (const event of take('1', 16_000)) play(race, event)
  t.ok(race.session.race >= 3, `${race.session.race} races`)
  t.same(Object.keys(race.winners).slice(0, 2), ['1', '2'])
})

t.test('every message is one that the definition takes', async t => {
  const refused = take('3', 8_000).filter(
    ({ message, value }) => !schemas[message].safeParse(value).success,
  )
  t.same(refused, [])
})

t.test('messages come at the rate of a real feed, and in bursts', async t => {
  const perSecond = new Map<number, number>()
  let atMs = 0
  const events = take('1', 16_000)
  t.ok(events.every(({ afterMs }) => Number.isInteger(afterMs) && afterMs >= 0))
  for (const { afterMs } of events) {
    atMs += afterMs
    const second = Math.floor(atMs / 1_000)
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
  }
  const mean = 16_000 / (atMs / 1_000)
  const most = Math.max(...perSecond.values())
  t.ok(mean > 3 && mean < 6, `${mean} each second`)
  t.ok(most >= 10 && most <= 25, `at most ${most} in a second`)
})

t.test('positions are those of a race at every moment: each once', async t => {
  const race = emptyRace()
  let wrong = 0
  for (const event of take('4', 8_000)) {
    play(race, event)
    const positions = Object.values(race.cars).map(car => car.position)
    if (new Set(positions).size !== positions.length) wrong += 1
  }
  t.equal(wrong, 0)
})
