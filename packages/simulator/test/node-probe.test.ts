import { instant, Prng } from '@fanfold/kernel'
import t from 'tap'
import type { LinkFault } from '../src/fault.ts'
import { type ProbeOutcome, probe } from '../src/node-probe.ts'
import { VirtualClock } from '../src/virtual-clock.ts'
import { Ways } from '../src/ways.ts'

/** What a look at a node comes to, and when it is known, ms. */
function look(
  to: { readonly name: string; readonly isUp: boolean } | undefined,
  amiss: { readonly fault?: LinkFault; readonly isPaused?: boolean } = {},
): { outcome: ProbeOutcome | undefined; afterMs: number } {
  const clock = new VirtualClock()
  const ways = new Ways({ clock, prng: new Prng('ways') })
  if (amiss.fault !== undefined) ways.begin(amiss.fault)
  if (amiss.isPaused === true) ways.pause('b')
  let outcome: ProbeOutcome | undefined
  let at = 0
  probe({ clock, ways, prng: new Prng('dials') }, 'a', to, told => {
    outcome = told
    at = clock.now
  })
  t.equal(outcome, undefined, 'it takes a while')
  clock.runUntil(instant(10_000_000))
  return { outcome, afterMs: at / 1000 }
}

const up = { name: 'b', isUp: true }
const lasting = { atMs: 0, forMs: 9_000 }

t.test('a process that listens answers, one that is paused too', async t => {
  t.match(look(up), { outcome: 'answered' })
  t.match(look(up, { isPaused: true }), { outcome: 'answered' })
})

t.test('where nobody listens that is said', async t => {
  t.match(look({ ...up, isUp: false }), { outcome: 'refused' })
  t.match(look(up, { fault: { kind: 'refuse', node: 'b', ...lasting } }), { outcome: 'refused' })
})

t.test('who cannot be reached is silent, for a second', async t => {
  const silent = { outcome: 'silent', afterMs: 1_000 }
  t.same(look(undefined), silent)
  t.same(look(up, { fault: { kind: 'black-hole', node: 'b', ...lasting } }), silent)
  t.same(look(up, { fault: { kind: 'cut', from: 'b', to: 'a', ...lasting } }), silent)
  t.same(
    look({ ...up, isUp: false }, { fault: { kind: 'cut', from: 'a', to: '*', ...lasting } }),
    silent,
  )
})
