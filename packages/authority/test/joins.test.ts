/*
 * Joins at an authority: each is answered at once, whatever there is to give.
 */
import { sha256 } from '@fanfold/conformance'
import { defineDocument } from '@fanfold/definition'
import type { Sha256 } from '@fanfold/kernel'
import type { LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { Authority } from '../src/authority.ts'
import type { AuthorityEffect } from '../src/authority-effect.ts'
import { child, Rig } from './build-authority.ts'
import { contextOf, doc, framesOf, limitsOf, link, opened, replicaOf } from './build-document.ts'

const kindsOf = (effects: readonly AuthorityEffect[]): string[] =>
  framesOf(effects).map(({ kind }) => kind)

t.test('a document without anything in it is joined at once', async t => {
  const rig = opened()
  rig.context.definition = defineDocument({ type: 'match', state: () => ({}), messages: {} })
  rig.commit({ action: { type: 'create' } })
  rig.effects()
  rig.join()
  const effects = rig.effects()
  t.same(kindsOf(effects), ['welcome', 'snapshot-begin', 'snapshot-piece'])
  t.same(replicaOf(framesOf(effects)).state(), {})
})

t.test('a document that does not exist is refused at once', async t => {
  const rig = new Rig()
  rig.join()
  t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_NO_DOCUMENT' }])
})

t.test('a join while the log is read is answered when it is', async t => {
  const before = opened()
  before.commit()
  before.commit()
  const rig = before.closed()
  rig.join()
  t.same(rig.effects(), [])
  rig.open()
  const effects = rig.effects()
  t.equal(kindsOf(effects)[0], 'welcome')
  t.match(replicaOf(framesOf(effects)).state(), { goals: { home: 2 } })
})

t.test('a join of what the ring has not is refused to who takes the tail alone', async t => {
  const rig = opened()
  rig.commit()
  rig.effects()
  rig.join({ take: 'tail' })
  t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_NO_TAIL' }])
})

t.test('a thousand joins are one snapshot, written out once', async t => {
  let hashed = 0
  const counting: Sha256 = (input, target, offset) => {
    hashed++
    sha256(input, target, offset)
  }
  const { randomBytes } = contextOf()
  const authority = new Authority({ sha256: counting, randomBytes, limits: limitsOf() })
  const rig = new Rig({}, authority)
  rig.write()
  rig.effects()
  hashed = 0
  for (let index = 1; index <= 1_000; index++) rig.join(doc, 239, link(index))
  t.equal(hashed, 1, 'its one piece is hashed once')
  const frames = framesOf(rig.effects(), link(1_000))
  t.match(replicaOf(frames).state(), { goals: { home: 1 } })
  rig.write()
  hashed = 0
  for (let index = 2_001; index <= 3_000; index++) rig.join(doc, 239, link(index))
  t.ok(hashed <= 1, 'and once more at most after a write')
})

t.test('children that were sent everything are told where the head is, once', async t => {
  const rig = new Rig()
  rig.write()
  rig.join()
  rig.write()
  rig.effects()
  rig.passTo(900)
  t.same(rig.effects(), [])
  rig.passTo(1_100)
  t.match(framesOfSignals(rig.effects()), [{ kind: 'signal', signal: 'head', doc, value: 3 }])
  rig.passTo(5_000)
  t.same(framesOfSignals(rig.effects()), [])
})

t.test('viewers below are counted, and no more when their node is gone', async t => {
  const rig = new Rig()
  rig.write()
  rig.join()
  rig.frame({ kind: 'signal', signal: 'presence', doc, value: 40 })
  t.equal(rig.authority.viewersBelow, 40)
  rig.take({ kind: 'link-closed', link: child, reason: 'gone' })
  t.equal(rig.authority.viewersBelow, 0)
})

const notesOf = (effects: readonly AuthorityEffect[]) =>
  effects.flatMap(effect => {
    if (effect.kind !== 'fact') return []
    const { event } = effect.fact
    return event === 'join-answered' || event === 'snapshot-sent' || event === 'lag-told'
      ? [effect.fact]
      : []
  })

t.test('what children are answered, what they are sent and what they tell is noted', async t => {
  const rig = new Rig()
  rig.join()
  t.match(notesOf(rig.effects()), [{ event: 'join-answered', doc, answer: 'refused' }])
  rig.write()
  rig.effects()
  rig.join()
  const effects = rig.effects()
  const [answered, sent, ...more] = notesOf(effects)
  t.match(answered, { event: 'join-answered', doc, answer: 'snapshot' })
  const bytes = effects.map(effect => {
    const [frame] = framesOf([effect])
    const isSnapshots = frame?.kind === 'snapshot-begin' || frame?.kind === 'snapshot-piece'
    return isSnapshots && effect.kind === 'link-send' ? effect.frame.length : 0
  })
  t.match(sent, { event: 'snapshot-sent', bytes: bytes.reduce((sum, next) => sum + next, 0) })
  t.same(more, [])
  rig.frame({ kind: 'signal', signal: 'lag', doc, value: 120 })
  t.match(notesOf(rig.effects()), [{ event: 'lag-told', doc, lagMs: 120 }])
})

const framesOfSignals = (effects: readonly AuthorityEffect[]): LinkFrame[] =>
  framesOf(
    effects.map(effect =>
      effect.kind === 'link-signal' ? { ...effect, kind: 'link-send' } : effect,
    ),
  )
