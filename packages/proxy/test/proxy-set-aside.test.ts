/* An assertion that fails inside of one document costs a proxy that document, for a while. */
import type { LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import {
  child,
  doc,
  framesOf,
  link,
  parent,
  positionAt,
  Rig,
  records,
  snapshot,
  welcome,
} from './build-proxy.ts'

function serving(): Rig {
  const rig = new Rig()
  rig.open(parent)
  for (const id of [child, link(2)]) {
    rig.open(id)
    rig.join(id)
  }
  rig.frame(parent, welcome('snapshot', 10), ...snapshot(10))
  rig.pass(10)
  rig.sent(child)
  return rig
}

const of = (frames: readonly LinkFrame[], kind: LinkFrame['kind']): LinkFrame[] =>
  frames.filter(frame => frame.kind === kind)

t.test('a failed assertion ends one document at a proxy, and its children hear of it', async t => {
  const rig = serving()
  rig.isStumbling = true
  rig.frame(parent, records(11, 12))
  rig.isStumbling = false
  const effects = rig.effects()
  t.match(
    effects.flatMap(effect => (effect.kind === 'fact' ? [effect.fact] : [])),
    [{ event: 'document-set-aside', doc }],
  )
  const frames = framesOf(effects, child)
  t.same(of(frames, 'records'), [], 'nothing that the failed step wanted sent goes out')
  t.match(of(frames, 'ended'), [{ code: 'FANFOLD_SET_ASIDE' }])
  t.match(of(framesOf(effects, parent), 'leave'), [{ doc }])
  t.equal(rig.proxy.documentCount, 0)
})

t.test('who joins meanwhile is told when to come again, and then it is there', async t => {
  const rig = serving()
  rig.isStumbling = true
  rig.frame(parent, records(11, 12))
  rig.isStumbling = false
  rig.pass(10_000)
  rig.effects()
  rig.join(child, positionAt(10))
  t.match(rig.sent(child), [{ kind: 'refused', code: 'FANFOLD_SET_ASIDE', retryAfterMs: 20_000 }])
  t.equal(rig.proxy.documentCount, 0)
  rig.frame(parent, { kind: 'left', doc })
  rig.pass(20_001)
  rig.join(child, positionAt(10))
  rig.frame(parent, welcome('snapshot', 12), ...snapshot(12))
  rig.pass(10)
  t.match(of(rig.sent(child), 'welcome'), [{ doc }])
})
