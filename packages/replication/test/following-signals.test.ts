import type { LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { doc, framesOf } from './build-stream.ts'
import {
  first,
  head,
  linkEffects,
  live,
  Rig,
  second,
  snapshotFrames,
  welcome,
} from './following-rig.ts'

/** Signals that went up since the last time. */
function signals(rig: Rig): (LinkFrame & { readonly kind: 'signal' })[] {
  const effects = linkEffects(rig.effects()).flatMap(effect =>
    effect.kind === 'link-signal' ? [{ ...effect, kind: 'link-send' as const }] : [],
  )
  return framesOf(effects).filter(frame => frame.kind === 'signal')
}

t.test('presence goes up at once, then once a second with what holds then', async t => {
  const rig = live()
  rig.presence(3)
  t.match(signals(rig), [{ signal: 'presence', doc, value: 3 }])
  for (const count of [4, 5, 6]) rig.presence(count)
  t.same(signals(rig), [])
  rig.pass(999)
  t.same(signals(rig), [])
  rig.pass(1)
  t.match(signals(rig), [{ signal: 'presence', value: 6 }])
  rig.pass(5_000)
  t.same(signals(rig), [], 'what the parent knows is not told again')
  rig.presence(7)
  t.match(signals(rig), [{ value: 7 }])
})

t.test('lag goes up beside it, each in a lane of its own key', async t => {
  const rig = live()
  rig.presence(3)
  rig.lag(40)
  t.match(
    linkEffects(rig.effects()).map(effect => (effect.kind === 'link-signal' ? effect.key : '')),
    [`presence:${doc}`, `lag:${doc}`],
  )
})

t.test('a parent that serves from now on is told what holds', async t => {
  const rig = live()
  rig.presence(3)
  rig.open(second)
  rig.close()
  signals(rig)
  rig.take([welcome('tail', 9)], second)
  t.match(signals(rig), [{ signal: 'presence', value: 3 }])
})

t.test('without a parent nothing is told, and of what is not followed nothing stays', async t => {
  const rig = new Rig()
  rig.follow()
  rig.presence(3)
  t.same(signals(rig), [])
  rig.open()
  rig.take([welcome('snapshot'), ...snapshotFrames(head)])
  t.match(signals(rig), [{ value: 3 }])
  rig.presence(4)
  rig.unfollow()
  signals(rig)
  rig.pass(5_000)
  t.same(signals(rig), [])
  t.equal(rig.following.wakeAt(), undefined)
})

t.test('a signal to a link that is not there is nothing', async t => {
  const rig = live()
  rig.take([{ kind: 'signal', signal: 'presence', doc, value: 1 }], first)
  t.same(rig.events(), [])
})
