import type { JsonObject } from '@fanfold/document'
import { milliseconds } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { live, Rig, rangesOf } from './build-edge.ts'
import { define, doc, viewer } from './edge-log.ts'
import { History, Model, put, Show } from './history.ts'
import { odds, paged } from './rules.ts'

const [one, two, three] = [viewer(1), viewer(2), viewer(3)]
const ring = { bytesMax: 10_000_000, ageMax: milliseconds(60_000) }
const semis = parseDocumentKey('acme/match/semis')
const others = parseDocumentKey('other/match/final')
const start: JsonObject = { score: 0, odds: 1, late: 'x', shown: false, bulk: 'b'.repeat(1_000) }

const factsOf = (rig: Rig, event: string) =>
  rig
    .effects()
    .flatMap(effect => (effect.kind === 'fact' && effect.fact.event === event ? [effect.fact] : []))

t.test('one viewer more than the quota is refused, and told when to come again', t => {
  const rig = live()
  rig.setQuota({ viewersMax: 2 })
  for (const id of [two, three]) rig.open(id)
  rig.observe(two)
  t.same(rangesOf(rig.got(two)), ['=10'])
  rig.effects()
  rig.observe(three)
  const [refused] = rig.got(three)
  t.match(refused, {
    type: 'refused',
    doc,
    code: 'FANFOLD_QUOTA_EXCEEDED',
    message: 'tenant acme has as many viewers here as its quota allows: 2',
  })
  t.ok(refused?.type === 'refused' && (refused.retryAfter ?? 0) >= 500)
  t.match(factsOf(rig, 'quota-refused'), [{ tenant: 'acme' }])
  rig.renew(three, { documents: ['**'] })
  rig.observe(three, { doc: others })
  t.same(rig.got(three), [], 'another tenant is not bounded: its document is waited for')
  t.match(rig.edge.tenantUse('acme'), { viewers: 2, isHeld: false })
  rig.take({ kind: 'viewer-closed', viewer: one })
  rig.observe(three)
  t.same(rangesOf(rig.got(three)), ['=10'])
  t.end()
})

t.test('who observes several documents of a tenant counts once, until it has left the last', t => {
  const rig = live()
  rig.setQuota({ viewersMax: 1 })
  rig.observe(one, { doc: semis })
  rig.observe(one)
  t.notMatch(rig.got(one), [{ type: 'refused' }])
  t.equal(rig.edge.tenantUse('acme').viewers, 1)
  rig.request(one, { type: 'leave', doc })
  t.equal(rig.edge.tenantUse('acme').viewers, 1)
  rig.open(two)
  rig.observe(two)
  t.match(rig.got(two), [{ code: 'FANFOLD_QUOTA_EXCEEDED' }])
  rig.request(one, { type: 'leave', doc: semis })
  rig.observe(two)
  t.same(rangesOf(rig.got(two)), ['=10'])
  t.end()
})

t.test('a quota that is lowered sends nobody away, and one that is raised counts at once', t => {
  const rig = live()
  rig.open(two)
  rig.observe(two)
  rig.got(two)
  t.same(rig.edge.boundedTenants, [], 'of who is not bounded nothing is kept')
  rig.setQuota({ viewersMax: 1 })
  t.same(rig.edge.boundedTenants, ['acme'])
  t.equal(rig.edge.tenantUse('acme').viewers, 2)
  t.same([rig.got(one), rig.got(two)], [[], []])
  rig.observe(two)
  t.same(rangesOf(rig.got(two)), ['=10'], 'who is there may ask again')
  rig.open(three)
  rig.observe(three)
  t.match(rig.got(three), [{ code: 'FANFOLD_QUOTA_EXCEEDED' }])
  rig.setQuota({ viewersMax: 3 })
  rig.observe(three)
  t.same(rangesOf(rig.got(three)), ['=10'])
  rig.setQuota(undefined)
  t.same(rig.edge.boundedTenants, [])
  t.end()
})

/** A document that a payer and another one look at. */
function shown(definition = odds(), state: JsonObject = start): Show {
  const show = new Show(definition, state, { ring })
  rigOpen(show.rig)
  return show
}

function rigOpen(rig: Rig): void {
  rig.open(one, { claims: { premium: true } })
  rig.open(two, { claims: { premium: false } })
  for (const id of [one, two]) rig.observe(id)
}

t.test('viewers of a tenant that has sent enough are shown less often, and all in the end', t => {
  const show = shown()
  const models = [one, two].map(id => new Model().take(show.rig.got(id)))
  show.rig.setQuota({ bytesPerSecondMax: 4_096 })
  let deltas = 0
  for (let score = 1; score <= 300; score++) {
    show.change(put('/score', score))
    show.rig.pass(10)
    for (const [index, id] of [one, two].entries()) {
      const frames = show.rig.got(id)
      deltas += frames.filter(frame => frame.type === 'delta').length
      models[index]?.take(frames)
    }
  }
  t.ok(deltas > 10 && deltas < 200, `${deltas} deltas of 600`)
  t.match(factsOf(show.rig, 'quota-spent')[0], { tenant: 'acme', bytesPerSecondMax: 4_096 })
  const { sentBytes } = show.rig.edge.tenantUse('acme')
  t.ok(
    sentBytes > 4_096 * 3 && sentBytes <= 4_096 * 4 + 1_000,
    `${sentBytes} bytes in three seconds`,
  )
  show.rig.pass(15_000)
  for (const [index, id] of [one, two].entries()) {
    const model = models[index]?.take(show.rig.got(id))
    t.equal(model?.problem, undefined)
    t.equal(model?.view?.['score'], 300)
  }
  t.equal(models[0]?.view?.['odds'], 1)
  t.notOk('odds' in (models[1]?.view ?? {}))
  t.equal(show.rig.edge.tenantUse('acme').isHeld, false)
  t.end()
})

t.test('a tenant that has plenty again is shown each record as it is', t => {
  const show = shown(define())
  show.rig.setQuota({ bytesPerSecondMax: 2_048 })
  for (let score = 1; score <= 30; score++) show.change(put('/score', score))
  t.ok(show.rig.edge.tenantUse('acme').isHeld)
  show.rig.pass(20_000)
  show.change(put('/score', 31))
  show.rig.got(one)
  show.change(put('/score', 32), put('/score', 33))
  const frames = show.rig.got(one)
  t.match(frames.at(-1), { patch: [{ value: 32 }, { value: 33 }] }, 'the record, and not its sum')
  t.end()
})

t.test('another tenant is shown each of its records meanwhile', t => {
  const show = shown()
  show.rig.setQuota({ bytesPerSecondMax: 1_024 }, 'other')
  for (let score = 1; score <= 100; score++) show.change(put('/score', score))
  t.equal(show.rig.got(one).filter(frame => frame.type === 'delta').length, 100)
  t.end()
})

t.test('a bound that is taken away or raised is felt at once', t => {
  for (const bytesPerSecondMax of [undefined, 10_000_000]) {
    const show = shown()
    show.rig.setQuota({ bytesPerSecondMax: 1_024 })
    for (let score = 1; score <= 100; score++) show.change(put('/score', score))
    show.rig.got(one)
    show.rig.setQuota(bytesPerSecondMax === undefined ? undefined : { bytesPerSecondMax })
    show.rig.pass(11_000)
    show.rig.got(one)
    for (let score = 101; score <= 200; score++) show.change(put('/score', score))
    t.equal(show.rig.got(one).filter(frame => frame.type === 'delta').length, 100)
  }
  t.end()
})

t.test('where views are computed, or numbered by their frames, it is the same', t => {
  for (const [definition, state] of [
    [paged(), { pages: { a: 'A', b: 'B' }, title: 'T' }],
    [odds({ observe: { numbering: 'dense' } }), start],
  ] as const) {
    const show = shown(definition, state)
    const model = new Model().take(show.rig.got(two))
    show.rig.setQuota({ bytesPerSecondMax: 1_024 })
    const path = 'title' in state ? '/title' : '/score'
    for (let count = 1; count <= 200; count++) show.change(put(path, `now ${count}`))
    const frames = show.rig.got(two)
    t.ok(frames.length < 100, `${frames.length} frames`)
    show.rig.pass(15_000)
    model.take([...frames, ...show.rig.got(two)])
    t.equal(model.problem, undefined)
    t.match(JSON.stringify(model.view), /now 200/)
  }
  t.end()
})

t.test('who comes while the tenant is over is let in, and goes on with the others', t => {
  const show = shown()
  show.rig.setQuota({ bytesPerSecondMax: 1_024 })
  for (let score = 1; score <= 100; score++) show.change(put('/score', score))
  show.rig.open(three, { claims: { premium: false } })
  show.rig.observe(three)
  const model = new Model().take(show.rig.got(three))
  t.equal(model.view?.['score'], 100, 'what it sees first is what is now')
  show.change(put('/score', 101))
  show.rig.pass(15_000)
  model.take(show.rig.got(three))
  t.equal(model.problem, undefined)
  t.equal(model.view?.['score'], 101)
  t.end()
})

t.test('of two documents of a tenant that is over, none comes before one that waits', t => {
  const rig = new Rig({}, ring)
  rig.load('open', define())
  rig.openParent()
  rig.open(one)
  const histories = [new History(), new History(semis, 56)] as const
  for (const [index, history] of histories.entries()) {
    history.define('open')
    history.create({ score: 0 })
    rig.observe(one, { doc: index === 0 ? doc : semis })
    rig.frame(...history.snapshot())
  }
  const [busy, quiet] = histories
  rig.setQuota({ bytesPerSecondMax: 1_024 })
  const change = (history: History, score: number): void => {
    history.change(put('/score', score))
    rig.frame(history.last())
  }
  for (let score = 1; score <= 20; score++) change(busy, score)
  change(quiet, 1)
  for (let score = 21; score <= 40; score++) change(busy, score)
  rig.got(one)
  const docsShown: string[] = []
  // Timers are late: each time that the tenant may go on, a record of the busy one is there before they are.
  for (let score = 41; docsShown.length < 6; score++) {
    rig.nowMs += 100
    change(busy, score)
    rig.turn()
    docsShown.push(...rig.got(one).map(frame => ('doc' in frame ? (frame.doc ?? '') : '')))
    if (score % 2 === 0) change(quiet, score)
  }
  t.ok(docsShown.indexOf(semis) <= 1, docsShown.join(' '))
  t.ok(docsShown.filter(shown => shown === semis).length >= 2, 'they take turns')
  t.end()
})
