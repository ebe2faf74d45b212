import type { EdgeDefinition } from '@fanfold/definition'
import t from 'tap'
import type { EdgeFact } from '../src/edge-effect.ts'
import { type Rig, rangesOf } from './build-edge.ts'
import { define, doc, startMs, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { byClaims, rule } from './rules.ts'

const [frail, sound, late] = [viewer(1), viewer(2), viewer(3)]

/** The rule throws for who is frail while `/n` is odd. */
const brittle = define({
  rules: [
    rule(
      '/odds',
      (audience, { reads }) => {
        if (audience['frail'] === true && Number(reads['/n']) % 2 === 1)
          throw new Error('the secret')
        return true
      },
      ['/n'],
    ),
  ],
  observe: byClaims,
})

function show(n = 0): Show {
  const made = new Show(brittle, { n, odds: 1 })
  made.rig.open(frail, { claims: { frail: true } })
  made.rig.open(sound, { claims: { frail: false } })
  for (const id of [frail, sound]) made.rig.observe(id)
  return made
}

const facts = (rig: Rig): EdgeFact[] =>
  rig
    .effects()
    .flatMap(effect => (effect.kind === 'fact' ? [effect.fact] : []))
    .filter(fact => fact.event === 'rule-failed')

t.test('a cohort whose rule fails keeps what it sees, is told once, and harms nobody', async t => {
  const made = show()
  const model = new Model().take(made.rig.got(frail))
  made.rig.effects()
  made.rig.nowMs = 300
  made.change(put('/n', 1))
  const status = {
    type: 'status',
    status: 'stale',
    since: startMs + 300,
    code: 'FANFOLD_RULE_FAILED',
  }
  t.match(made.rig.got(frail), [status])
  t.match(facts(made.rig), [{ doc, place: '/odds', error: { message: 'the secret' } }])
  made.rig.nowMs = 400
  made.change(put('/n', 3))
  made.change(put('/odds', 2))
  t.same(made.rig.got(frail), [], 'once')
  t.same(facts(made.rig), [])
  t.same(rangesOf(made.rig.got(sound)), ['=2', '2>3', '3>4', '4>5'])
  t.same(model.view, { n: 0, odds: 1 })
})

t.test('when the rule works again, the cohort gets a snapshot and is live', async t => {
  const made = show()
  const model = new Model().take(made.rig.got(frail))
  made.change(put('/n', 1))
  made.change(put('/n', 2))
  const frames = made.rig.got(frail)
  t.same(rangesOf(frames), ['stale', '=4', 'live'])
  t.same(model.take(frames).view, { n: 2, odds: 1 })
  made.change(put('/odds', 5))
  t.same(model.take(made.rig.got(frail)).view, { n: 2, odds: 5 })
  t.equal(model.problem, undefined)
})

t.test('a record that mends the state is shown, though the rule failed before it', async t => {
  // The view does not look where the rule fails, so it can be shown before.
  const blind: EdgeDefinition = {
    ...brittle,
    view: state => ({ n: Reflect.get(Object(state), 'n') }),
  }
  const made = new Show(blind, { n: 1, odds: 1 })
  made.rig.open(frail, { claims: { frail: true } })
  made.rig.observe(frail)
  const model = new Model().take(made.rig.got(frail))
  t.same(model.view, { n: 1 })
  made.change(put('/n', 2))
  const frames = made.rig.got(frail)
  t.notOk(rangesOf(frames).includes('stale'))
  t.same(model.take(frames).view, { n: 2 })
  t.equal(model.problem, undefined)
})

t.test('who comes while the rule fails is shown nothing, and told', async t => {
  const made = show(1)
  t.match(made.rig.got(frail), [{ type: 'status', status: 'stale', code: 'FANFOLD_RULE_FAILED' }])
  t.equal(facts(made.rig).length, 1)
  made.rig.open(late, { claims: { frail: true } })
  made.rig.observe(late)
  t.match(made.rig.got(late), [{ code: 'FANFOLD_RULE_FAILED' }])
  made.change(put('/n', 2))
  for (const id of [frail, late]) t.same(rangesOf(made.rig.got(id)), ['=3', 'live'])
})

t.test('who leaves a view that fails gets a snapshot of the other, and is live', async t => {
  const made = show()
  const model = new Model().take(made.rig.got(frail))
  made.change(put('/n', 1))
  made.rig.renew(frail, { claims: { frail: false } })
  const frames = made.rig.got(frail)
  t.same(rangesOf(frames), ['stale', '=3', 'live'])
  t.same(model.take(frames).view, { n: 1, odds: 1 })
  made.rig.renew(frail, { claims: { frail: true } })
  t.match(made.rig.got(frail), [{ type: 'status', code: 'FANFOLD_RULE_FAILED' }])
  made.change(put('/n', 2))
  t.same(rangesOf(made.rig.got(frail)), ['=4', 'live'])
  t.equal(model.problem, undefined)
})

t.test('a lost parent does not hide that a rule failed, nor the reverse', async t => {
  const made = show()
  made.change(put('/n', 1))
  made.rig.got(frail)
  made.rig.got(sound)
  made.rig.closeParent()
  t.match(made.rig.got(frail), [{ status: 'stale', code: 'FANFOLD_RULE_FAILED' }])
  t.match(made.rig.got(sound), [{ status: 'stale', code: undefined }])
  made.rig.openParent()
  made.rig.frame(made.history.tail())
  t.match(made.rig.got(frail), [{ status: 'stale', code: 'FANFOLD_RULE_FAILED' }])
  t.match(made.rig.got(sound), [{ status: 'live' }])
})

t.test('a new snapshot of the document is tried too', async t => {
  const made = show()
  made.change(put('/n', 1))
  made.rig.got(frail)
  made.history.change(put('/n', 2))
  made.rig.frame(...made.history.snapshot())
  t.same(rangesOf(made.rig.got(frail)).slice(0, 2), ['=4', 'live'])
})

t.test('a new definition that works takes over from one that fails', async t => {
  const made = show()
  const model = new Model().take(made.rig.got(frail))
  made.change(put('/n', 1))
  made.rig.load('second', define({ observe: byClaims }))
  made.history.define('second')
  made.rig.frame(made.history.last())
  const frames = made.rig.got(frail)
  t.same(rangesOf(frames), ['stale', '=4', 'live'])
  t.same(model.take(frames).view, { n: 1, odds: 1 })
  t.equal(model.problem, undefined)
})

t.test('no frame holds what was thrown', async t => {
  const made = show()
  for (let n = 1; n < 6; n++) made.change(put('/n', n))
  const bytes = (made.rig.received.get(frail) ?? []).map(one => Buffer.from(one.bytes).toString())
  t.ok(bytes.length > 3)
  t.notMatch(bytes.join(), /secret/)
})
