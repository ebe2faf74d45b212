import { instant, milliseconds, Prng } from '@fanfold/kernel'
import fc from 'fast-check'
import t from 'tap'
import type { LinkFault } from '../src/fault.ts'
import { ViewerDials } from '../src/viewer-dials.ts'
import { VirtualClock } from '../src/virtual-clock.ts'
import { Ways } from '../src/ways.ts'

const delayMs = 5
const roundTripMs = 2 * delayMs
const dialMaxMs = 10_000

/** A viewer that dials an edge, and when it was told what, ms. */
function makeDial() {
  const clock = new VirtualClock()
  const ways = new Ways({ clock, prng: new Prng('dials') })
  const dials = new ViewerDials(clock, ways, 'edge-1')
  const told: string[] = []
  const say = (what: string): void => {
    told.push(`${clock.now / 1000} ${what.split(':')[0]}`)
  }
  const dial = {
    name: 'viewer-3',
    delayMin: milliseconds(delayMs),
    opened: () => say('opened'),
    lost: (reason: string) => say(reason),
  }
  const runTo = (ms: number): readonly string[] => {
    clock.runUntil(instant(ms * 1000))
    return told
  }
  const cut = (): (() => void) => {
    const fault: LinkFault = { kind: 'cut', from: 'viewer-3', to: '*', atMs: 0, forMs: 100 }
    ways.begin(fault)
    return () => ways.end(fault)
  }
  return { dials, dial, told, runTo, cut }
}

t.test('a connection is open a round trip after the dial', async t => {
  const { dials, dial, runTo } = makeDial()
  dials.accept(dial)
  t.same(runTo(roundTripMs - 1), [])
  t.same(runTo(2 * dialMaxMs), [`${roundTripMs} opened`])
})

t.test('a connection over a way that is cut is open as soon as the way is free', async t => {
  const { dials, dial, runTo, cut } = makeDial()
  const heal = cut()
  dials.accept(dial)
  t.same(runTo(500), [])
  heal()
  t.same(runTo(3 * dialMaxMs), ['500 opened'])
})

t.test('a client that waits too long for a connection has none', async t => {
  const { dials, dial, runTo, cut } = makeDial()
  cut()
  dials.accept(dial)
  t.same(runTo(3 * dialMaxMs), [`${roundTripMs + dialMaxMs} no-answer`])
})

t.test('who dials where nobody listens is refused a round trip later', async t => {
  const { dials, dial, runTo } = makeDial()
  dials.turnAway(dial, 'refuse')
  t.same(runTo(roundTripMs - 1), [])
  t.same(runTo(2 * dialMaxMs), [`${roundTripMs} refused`])
})

t.test('a refusal over a way that is cut comes when the way is free, or too late', async t => {
  for (const healsAtMs of [500, 2 * dialMaxMs]) {
    const { dials, dial, runTo, cut } = makeDial()
    const heal = cut()
    dials.turnAway(dial, 'refuse')
    runTo(healsAtMs)
    heal()
    t.same(runTo(3 * dialMaxMs), healsAtMs === 500 ? ['500 refused'] : [`${dialMaxMs} no-answer`])
  }
})

t.test('who dials where nobody answers waits as long as a client waits', async t => {
  const { dials, dial, runTo } = makeDial()
  dials.turnAway(dial, 'none')
  t.same(runTo(dialMaxMs - 1), [])
  t.same(runTo(3 * dialMaxMs), [`${dialMaxMs} no-answer`])
})

t.test('who hangs up before is told nothing, and what it sends goes nowhere', async t => {
  for (const answer of ['refuse', 'none'] as const) {
    const { dials, dial, runTo } = makeDial()
    const connection = dials.turnAway(dial, answer)
    connection.send('hello')
    connection.close()
    t.same(runTo(3 * dialMaxMs), [], answer)
  }
})

t.test('whatever the way does, a client hears how its dial ended, in time and once', async t => {
  const law = fc.property(
    fc.constantFrom('accept', 'refuse', 'none'),
    fc.array(fc.integer({ min: 1, max: 8_000 }), { maxLength: 6 }),
    (answer, lengthsMs) => {
      const { dials, dial, told, runTo, cut } = makeDial()
      let heal: (() => void) | undefined
      const turn = (): void => {
        if (heal === undefined) heal = cut()
        else {
          heal()
          heal = undefined
        }
      }
      turn()
      if (answer === 'accept') dials.accept(dial)
      else dials.turnAway(dial, answer)
      let atMs = 0
      for (const lengthMs of lengthsMs) {
        atMs += lengthMs
        runTo(atMs)
        turn()
      }
      runTo(atMs + 3 * dialMaxMs)
      const [first = ''] = told
      const endedAtMs = Number(first.split(' ')[0])
      const isInTime = endedAtMs >= roundTripMs && endedAtMs <= roundTripMs + dialMaxMs
      // A client that had no answer has gone by then.
      const hasGone = answer === 'accept' && first.endsWith('no-answer')
      return isInTime && (hasGone || told.length === 1)
    },
  )
  t.doesNotThrow(() => fc.assert(law))
})
