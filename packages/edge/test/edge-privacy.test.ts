import { encodeUtf8 } from '@fanfold/kernel'
import { naiveView } from '@fanfold/privacy'
import t from 'tap'
import { rangesOf } from './build-edge.ts'
import { define, doc, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { byClaims, odds, rule } from './rules.ts'

const [free, paying, other] = [viewer(1), viewer(2), viewer(3)]
const start = { score: 0, odds: 1, late: 'x', shown: false }

/** A free viewer and a paying one. */
function market(overrides: Parameters<typeof odds>[0] = {}): Show {
  const show = new Show(odds(overrides), start)
  show.rig.open(free, { claims: { premium: false } })
  show.rig.open(paying, { claims: { premium: true } })
  for (const id of [free, paying]) show.rig.observe(id)
  return show
}

t.test('each viewer gets a snapshot of what it may see', async t => {
  const { rig } = market()
  t.match(rig.got(free), [{ type: 'snapshot', seq: 2 }])
  const again = market()
  t.same((again.rig.got(free)[0] as { view: unknown }).view, { score: 0, shown: false })
  t.same((again.rig.got(paying)[0] as { view: unknown }).view, { score: 0, odds: 1, shown: false })
  t.equal(rig.edge.cohortCount, 2)
})

t.test('a delta that touches nothing visible sends nothing', async t => {
  const show = market()
  show.rig.got(free)
  show.rig.effects()
  show.change(put('/odds', 2))
  t.same(show.rig.got(free), [])
  const sends = show.rig.effects().filter(({ kind }) => kind === 'cohort-send')
  t.equal(sends.length, 1, 'one frame, to those who see it')
  show.change(put('/score', 1))
  t.match(show.rig.got(free), [{ from: 2, seq: 4, patch: [{ path: '/score', value: 1 }] }])
})

t.test('ranges adjoin across what was hidden, also for who comes in between', async t => {
  const show = market()
  const [early, late] = [new Model(), new Model()]
  show.change(put('/odds', 2))
  show.change(put('/odds', 3))
  show.rig.open(other, { claims: { premium: false } })
  show.rig.observe(other)
  t.same(rangesOf(show.rig.got(other)), ['=2'], 'the view is the one that they had')
  show.rig.observe(other)
  show.change(put('/score', 1))
  late.take(show.rig.got(other))
  early.take(show.rig.got(free))
  for (const model of [early, late]) {
    t.equal(model.problem, undefined)
    t.same([model.seq, model.view], [5, { score: 1, shown: false }])
  }
})

t.test('one record is one frame for each cohort, however many came at once', async t => {
  const show = market()
  show.history.change(put('/score', 1))
  show.history.change(put('/odds', 2), put('/score', 2))
  show.rig.got(free)
  show.rig.frame(show.history.last(2))
  t.same(rangesOf(show.rig.got(free)), ['2>3', '3>4'])
})

t.test('a rule that turns gives and takes away', async t => {
  const show = market()
  const model = new Model().take(show.rig.got(free))
  show.change(put('/shown', true))
  t.same(model.take(show.rig.got(free)).view, { score: 0, shown: true, late: 'x' })
  show.change(put('/shown', false))
  t.same(model.take(show.rig.got(free)).view, { score: 0, shown: false })
})

t.test("where everybody sees everything, the record's own bytes go out", async t => {
  const show = new Show(define(), { n: 0 })
  show.rig.open(free)
  show.rig.observe(free)
  show.rig.got(free)
  show.change(put('/n', 1))
  const [{ bytes } = { bytes: new Uint8Array() }] = show.rig.received.get(free) ?? []
  t.ok(Buffer.from(bytes).includes('"patch":[{"op":"add","path":"/n","value":1}]}'))
})

t.test('patches of several labels go out as one, to who may see them', async t => {
  const labels = [
    { pattern: '/salary', label: 1 },
    { pattern: '/health', label: 2 },
  ]
  const clearance = (audience: unknown): number => (audience as { level: number }).level
  const definition = define({ labels, observe: { ...byClaims, clearance } })
  const show = new Show(definition, { name: 'a', salary: 1, health: 2 }, { labels })
  const models = [0, 1, 2].map(level => {
    show.rig.open(viewer(level + 1), { claims: { level } })
    show.rig.observe(viewer(level + 1))
    return new Model()
  })
  show.change(put('/health', 3), put('/name', 'b'), put('/salary', 4))
  show.change(put('/health', 5))
  for (const [level, model] of models.entries()) model.take(show.rig.got(viewer(level + 1)))
  t.same(models[0]?.view, { name: 'b' })
  t.same(models[1]?.view, { name: 'b', salary: 4 })
  t.same(models[2]?.view, { name: 'b', salary: 4, health: 5 })
  for (const { problem } of models) t.equal(problem, undefined)
})

t.test('who may see more than may come here is refused, for good', async t => {
  const labels = [{ pattern: '/salary', label: 2 }]
  const definition = define({ labels, observe: { clearance: () => 2 } })
  const show = new Show(definition, { name: 'a' }, { labels, ceiling: 1 })
  show.rig.open(free)
  show.rig.observe(free)
  t.match(show.rig.got(free), [{ code: 'FANFOLD_ABOVE_CEILING', retryAfter: undefined }])
  show.change(put('/name', 'b'))
  t.same(show.rig.got(free), [])
})

t.test(
  'when the ceiling falls, who is above it is refused and the others get snapshots',
  async t => {
    const labels = [{ pattern: '/salary', label: 1 }]
    const clearance = (audience: unknown): number => (audience as { level: number }).level
    const definition = define({ labels, observe: { ...byClaims, clearance } })
    const show = new Show(definition, { name: 'a', salary: 1 }, { labels })
    for (const level of [0, 1]) {
      show.rig.open(viewer(level + 1), { claims: { level } })
      show.rig.observe(viewer(level + 1))
      show.rig.got(viewer(level + 1))
    }
    show.rig.closeParent()
    show.rig.openParent()
    show.rig.frame(...show.history.snapshot(0))
    const [low, high] = [show.rig.got(viewer(1)), show.rig.got(viewer(2))]
    t.ok(rangesOf(low).includes('=2'), rangesOf(low).join())
    t.ok(high.some(frame => frame.type === 'refused' && frame.code === 'FANFOLD_ABOVE_CEILING'))
  },
)

t.test('who is not let in hears a fixed sentence, and waits for nothing', async t => {
  const allow = (): boolean => false
  const show = new Show(odds({ observe: { allow } }), start)
  show.rig.open(free)
  show.rig.observe(free)
  t.match(show.rig.got(free), [{ type: 'refused', doc, code: 'FANFOLD_FORBIDDEN' }])
  show.change(put('/score', 1))
  t.same(show.rig.got(free), [])
  t.equal(show.rig.edge.cohortCount, 0)
  show.rig.pass(10_000)
  t.equal(show.rig.edge.documentCount, 0, 'nobody keeps the document')
})

t.test('what a rule throws while a viewer is let in reaches the log and no viewer', async t => {
  const audience = (): never => {
    throw new Error('the secret')
  }
  const show = new Show(odds({ observe: { audience } }), start)
  show.rig.open(free)
  show.rig.observe(free)
  const bytes = (show.rig.received.get(free) ?? []).map(one => Buffer.from(one.bytes).toString())
  t.match(bytes, [/FANFOLD_RULE_FAILED/])
  t.notMatch(bytes.join(), /secret/)
  const facts = show.rig.effects().flatMap(effect => (effect.kind === 'fact' ? [effect.fact] : []))
  t.match(facts, [{ event: 'rule-failed', doc, place: 'observe.audience', error: Error }])
})

t.test('there are only so many different views of a document', async t => {
  const definition = define({ observe: { audience: viewer => viewer.id } })
  const show = new Show(definition, { n: 0 }, { limits: { cohortsPerDocumentMax: 2 } })
  for (const number of [1, 2, 3]) {
    show.rig.open(viewer(number), { subject: `s${number}` })
    show.rig.observe(viewer(number))
  }
  t.match(show.rig.got(viewer(3)), [{ code: 'FANFOLD_OVERLOADED' }])
  show.rig.take({ kind: 'viewer-closed', viewer: viewer(2) })
  t.equal(show.rig.edge.cohortCount, 1, 'an empty one goes')
  show.rig.observe(viewer(3))
  t.match(show.rig.got(viewer(3)), [{ type: 'snapshot' }])
})

/** What the edge does for one change with so many viewers, counted from outside. */
function costs(viewers: number): Record<string, number> {
  let rules = 0
  const definition = define({
    rules: [rule('/odds', audience => ++rules > 0 && audience['premium'] === true)],
    observe: byClaims,
  })
  const show = new Show(definition, { odds: 1, score: 0 })
  for (let number = 1; number <= viewers; number++) {
    show.rig.open(viewer(number), { claims: { premium: true } })
    show.rig.observe(viewer(number))
  }
  // They are let in by slices.
  show.rig.pass(1)
  show.rig.effects()
  show.history.change(put('/odds', 2), put('/score', 1))
  const records = show.history.last()
  rules = 0
  const { stringify } = JSON
  let texts = 0
  JSON.stringify = ((...input: Parameters<typeof stringify>) => {
    texts++
    return stringify(...input)
  }) as typeof stringify
  try {
    show.rig.frame(records)
  } finally {
    JSON.stringify = stringify
  }
  const effects = show.rig.effects()
  return {
    rules,
    texts,
    frames: effects.filter(({ kind }) => kind === 'cohort-send').length,
    sends: effects.filter(({ kind }) => kind === 'viewer-send').length,
    reached: [...show.rig.received.values()].filter(list => list.length > 1).length,
  }
}

t.test('a thousand viewers of one cohort cost what one costs', async t => {
  const [one, thousand] = [costs(1), costs(1_000)]
  t.ok((one['rules'] ?? 0) > 0)
  t.match(one, { frames: 1, sends: 0, reached: 1 })
  t.same(thousand, { ...one, reached: 1_000 })
})

t.test('what is sent holds no byte of what is hidden', async t => {
  const show = market()
  show.change(put('/odds', 'the secret'))
  show.change({ op: 'remove', path: '/odds' }, put('/late', 'the secret'))
  show.change({ op: 'test', path: '/late', value: 'the secret' }, put('/score', 1))
  show.change(put('/odds', 'the secret'), { op: 'remove', path: '/late' })
  const bytes = (show.rig.received.get(free) ?? []).map(one => Buffer.from(one.bytes).toString())
  t.ok(bytes.length > 1)
  t.notMatch(bytes.join(), /secret/)
  t.equal(new Model().take(show.rig.got(free)).problem, undefined)
})

t.test('the view is what the definition says of the state', async t => {
  const definition = odds()
  const show = market()
  const model = new Model().take(show.rig.got(paying))
  show.change(put('/odds', { home: 1 }))
  show.change(put('/shown', true), put('/odds/away', 3))
  const audience = { premium: true }
  const cohort = { audience, clearance: 0, viewState: undefined }
  const seen = naiveView(definition, show.history.state, cohort)
  t.same(model.take(show.rig.got(paying)).view, seen)
  t.ok(encodeUtf8(JSON.stringify(seen)).length > 0)
})
