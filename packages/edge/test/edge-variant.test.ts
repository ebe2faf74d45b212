import { encodeLinkFrame, type LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { followerLimits, type Rig, rangesOf } from './build-edge.ts'
import { define, doc, hashOf, parent, startMs, variantOf, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { rule } from './rules.ts'

const [one, two] = [viewer(1), viewer(2)]
const hidden = define({ rules: [rule('/secret', () => false)] })

/** A viewer under the first definition, and a record that names a second one. */
function show(options: ConstructorParameters<typeof Show>[2] = {}): Show {
  const made = new Show(define(), { n: 0, secret: 1 }, options)
  made.rig.open(one)
  made.rig.observe(one)
  made.rig.got(one)
  made.rig.effects()
  made.history.define('second')
  made.rig.frame(made.history.last())
  made.rig.pass(0)
  return made
}

/** The parent answers with the text of a variant. */
const answer = (name: string): LinkFrame => ({ kind: 'variant', variant: variantOf(name) })
const noVariant = (name: string): LinkFrame => ({ kind: 'no-variant', hash: variantOf(name).hash })
const asked = (rig: Rig): number =>
  rig.sent().filter(({ kind }) => kind === 'request-variant').length

t.test('a variant that is not here is asked for, run, and then shows what waited', async t => {
  const { rig, history } = show()
  t.match(rig.sent(), [{ kind: 'request-variant', hash: variantOf('second').hash }])
  history.change(put('/n', 1))
  rig.frame(history.last())
  t.same(rig.got(one), [], 'no record is shown by another variant')
  rig.frame(answer('second'))
  t.match(rig.effects(), [{ kind: 'load-variant', variant: { hash: variantOf('second').hash } }])
  rig.load('second', hidden)
  t.match(rig.got(one), [
    { from: 2, seq: 3, patch: [{ op: 'remove', path: '/secret' }] },
    { from: 3, seq: 4, patch: [{ value: 1 }] },
  ])
})

t.test('who comes meanwhile waits', async t => {
  const { rig } = show()
  rig.open(two)
  rig.observe(two)
  t.same(rig.got(two), [])
  rig.load('second', hidden)
  t.match(rig.got(two), [{ type: 'snapshot', seq: 3, view: { n: 0 } }])
})

t.test('a first variant that is not here is waited for', async t => {
  const made = new Show(define(), { n: 0 })
  const { rig, history } = made
  history.define('later')
  rig.frame(...history.snapshot())
  rig.open(one)
  rig.observe(one)
  rig.pass(0)
  t.ok(asked(rig) > 0)
  t.same(rig.got(one), [])
  rig.load('later', define())
  t.match(rig.got(one), [{ type: 'snapshot', view: { n: 0 } }])
})

t.test('without it, viewers hear that they are stale and those who wait are refused', async t => {
  const { rig } = show()
  rig.open(two)
  rig.observe(two)
  rig.nowMs = 700
  rig.frame(noVariant('second'))
  t.match(rig.got(one), [
    { type: 'status', status: 'stale', since: startMs + 700, code: 'FANFOLD_NO_VARIANT' },
  ])
  const refused = { type: 'refused', doc, code: 'FANFOLD_NO_VARIANT', retryAfter: 2_000 }
  t.match(rig.got(two), [refused])
  rig.observe(two)
  t.match(rig.got(two), [refused], 'who asks again too')
  t.equal(rig.edge.staleCount, 1)
  t.match(
    rig.effects().flatMap(effect => (effect.kind === 'fact' ? [effect.fact] : [])),
    [{ event: 'variant-missing', doc, hash: hashOf('second') }],
  )
  rig.load('second', hidden)
  t.same(rangesOf(rig.got(one)), ['2>3', 'live'])
  t.same(rangesOf(rig.got(two)), ['=3'])
  t.equal(rig.edge.staleCount, 0)
})

t.test('where another definition follows one that cannot be had, it is not waited for', async t => {
  for (const isKnownFirst of [false, true]) {
    const { rig, history } = show()
    history.change(put('/n', 1))
    if (isKnownFirst) rig.frame(history.last(), noVariant('second'))
    else rig.frame(history.last())
    history.define('third')
    rig.frame(history.last())
    t.notOk(rangesOf(rig.got(one)).includes('=5'))
    if (!isKnownFirst) rig.frame(noVariant('second'))
    t.ok(asked(rig) > 0, 'the parent is asked for the variant that follows')
    history.change(put('/n', 2))
    rig.frame(history.last())
    rig.got(one)
    rig.load('third', hidden)
    t.match(rig.got(one), [{ type: 'snapshot', seq: 6, view: { n: 2 } }])
    t.equal(rig.edge.staleCount, 0)
    history.change(put('/n', 3))
    rig.frame(history.last())
    t.same(rangesOf(rig.got(one)), ['6>7'])
  }
})

t.test('what the parent has not is asked for again, with growing waits', async t => {
  const { rig } = show()
  let before = asked(rig)
  t.equal(before, 1)
  const waits: number[] = []
  for (let time = 0; waits.length < 6 && time < 60_000; time += 10) {
    rig.frame(noVariant('second'))
    rig.pass(10)
    before = asked(rig)
    if (before > 0) waits.push(time)
  }
  t.equal(waits.length, 6)
  t.ok((waits[5] ?? 0) > 1_000, waits.join())
})

t.test('a variant that may not be run is asked for again after a while', async t => {
  const { rig } = show()
  rig.frame(answer('second'))
  const code = 'FANFOLD_BAD_TOKEN'
  rig.take({ kind: 'variant-refused', hash: hashOf('second'), code, message: 'who signed?' })
  t.match(rig.got(one), [{ status: 'stale', code: 'FANFOLD_NO_VARIANT' }])
  rig.effects()
  rig.pass(1_500)
  t.equal(asked(rig), 1)
  rig.frame(answer('second'))
  rig.load('second', hidden)
  t.same(rangesOf(rig.got(one)), ['2>3', 'live'])
})

t.test('a variant that is not here in time is missing, whoever keeps it', async t => {
  const { rig } = show({ limits: { variantWaitMaxMs: 300 } })
  rig.frame(answer('second'))
  rig.pass(299)
  t.same(rig.got(one), [])
  rig.pass(1)
  t.match(rig.got(one), [{ status: 'stale', code: 'FANFOLD_NO_VARIANT' }])
})

t.test('a variant of another type of document is refused', async t => {
  const { rig } = show()
  rig.load('second', { ...define(), type: 'table' })
  t.match(rig.got(one), [{ status: 'stale', code: 'FANFOLD_NO_VARIANT' }])
  rig.open(two)
  rig.observe(two)
  t.match(rig.got(two), [{ code: 'FANFOLD_NO_VARIANT' }])
})

t.test('when more waits than may, what is shown goes on by snapshots', async t => {
  const follower = { pendingBytesMax: 2_000 }
  const { rig, history } = show({ limits: { follower: { ...followerLimits(), ...follower } } })
  for (let n = 1; n <= 40; n++) {
    history.change(put('/n', n))
    rig.frame(history.last())
    rig.pass(0)
  }
  t.same(rig.got(one), [])
  rig.load('second', hidden)
  t.match(rig.got(one), [{ type: 'snapshot', seq: 43, view: { n: 40 } }])
  history.change(put('/n', 41), put('/secret', 2))
  rig.frame(history.last())
  t.match(rig.got(one), [{ from: 43, seq: 44, patch: [{ path: '/n', value: 41 }] }])
})

t.test('who asks for something while the variant is missing gets it afterwards', async t => {
  const { rig, history } = show()
  const model = new Model()
  rig.lag(one)
  rig.drain(one)
  rig.renew(one, { claims: { plan: 'free' } })
  rig.request(one, { type: 'leave', doc })
  rig.observe(one)
  rig.got(one)
  rig.load('second', hidden)
  history.change(put('/n', 1))
  rig.frame(history.last())
  t.same(model.take(rig.got(one)).view, { n: 1 })
  t.equal(model.problem, undefined)
})

t.test('a viewer that drains while nothing can be shown is live again afterwards', async t => {
  const made = new Show(define(), { n: 0, secret: 1 })
  const { rig, history } = made
  rig.open(one)
  rig.observe(one)
  rig.got(one)
  rig.lag(one)
  made.change(put('/n', 1))
  history.define('second')
  rig.frame(history.last())
  rig.drain(one)
  t.same(rig.got(one), [])
  rig.load('second', hidden)
  const frames = rig.got(one)
  t.same(rangesOf(frames), ['=4'])
  made.change(put('/n', 2))
  t.same(rangesOf(rig.got(one)), ['4>5'])
})

t.test('variants that no document needs are kept, up to 32', async t => {
  const made = new Show(define(), { n: 0 })
  const { rig, history } = made
  for (let number = 0; number < 40; number++) rig.load(`v${number}`, define())
  rig.open(one)
  rig.observe(one)
  rig.effects()
  for (const [name, isKept] of [
    ['v39', true],
    ['v8', true],
    ['v0', false],
  ] as const) {
    history.define(name)
    rig.frame(history.last())
    rig.pass(0)
    t.equal(asked(rig), isKept ? 0 : 1, name)
  }
})

t.test('a document that is let go wants nothing more', async t => {
  const { rig } = show()
  rig.take({ kind: 'viewer-closed', viewer: one })
  rig.pass(600)
  t.equal(rig.edge.documentCount, 0)
  rig.effects()
  rig.pass(60_000)
  t.same(rig.sent(), [])
  t.equal(rig.edge.wakeAt(), undefined)
  rig.take({ kind: 'link-frame', link: parent, frame: encodeLinkFrame(answer('second')) })
  t.same(rig.effects(), [])
})

t.test('who was told that it is cut off while it waited hears when it is live', async t => {
  const { rig, history } = new Show(define(), { n: 0 })
  history.define('later')
  rig.frame(history.last())
  rig.closeParent()
  rig.open(two)
  rig.observe(two)
  t.equal(rangesOf(rig.got(two)).at(-1), 'stale')
  rig.openParent()
  rig.frame(...history.snapshot())
  t.same(rig.got(two), [], 'it waits for what it is to be shown by')
  rig.load('later', define())
  t.same(rangesOf(rig.got(two)), ['=3', 'live'])
})
