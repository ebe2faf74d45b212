/* Viewers who come while the stream has more to come than is there: what they are told has to last. */
import type { JsonObject } from '@fanfold/document'
import t from 'tap'
import { rangesOf } from './build-edge.ts'
import { define, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { fragile } from './rules.ts'

const one = viewer(1)
const rows = (): JsonObject =>
  Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`row${at}`, 'x'.repeat(1_000)]))

/** The stream is interrupted, and goes on by what is written meanwhile, record by record when it is asked to. */
function interrupt(show: Show, steps: readonly boolean[], write: (step: boolean) => void) {
  show.rig.closeParent()
  const records = steps.map(step => {
    write(step)
    return show.history.last()
  })
  show.rig.openParent()
  show.rig.frame(show.history.tail())
  const goOn = (): void => {
    const record = records.shift()
    if (record !== undefined) show.rig.frame(record)
  }
  return { show, goOn }
}

/** A large document whose stream was interrupted, and goes on by these changes when it is asked to. */
function interrupted(...changes: boolean[]) {
  const state = { broken: false, secret: 1, rows: rows() }
  const show = new Show(fragile, state, { limits: { largeStateBytes: 100_000 } })
  return interrupt(show, changes, broken => show.history.change(put('/broken', broken)))
}

t.test('a view whose rules fail for now is waited for while the stream catches up', async t => {
  const { show, goOn } = interrupted(true, true, false)
  goOn()
  show.rig.open(one)
  show.rig.observe(one)
  const refused = () => show.rig.got(one).filter(({ type }) => type === 'refused')
  t.same(refused(), [], 'more is to come')
  goOn()
  t.same(refused(), [])
  goOn()
  const frames = show.rig.got(one)
  t.ok(rangesOf(frames).includes('snapshot-begin'))
  t.match(new Model().take(frames).view, { broken: false, secret: 1 })
})

t.test('it is refused when the stream is there and they fail still', async t => {
  const { show, goOn } = interrupted(true, true)
  goOn()
  show.rig.open(one)
  show.rig.observe(one)
  t.notOk(show.rig.got(one).some(({ type }) => type === 'refused'))
  goOn()
  t.match(
    show.rig.got(one).filter(({ type }) => type === 'refused'),
    [{ code: 'FANFOLD_RULE_FAILED' }],
  )
})

t.test('who was told that its view fails hears that it does not when it is shown it', async t => {
  const { show, goOn } = interrupted(false, true, true, false)
  goOn()
  show.rig.open(one)
  show.rig.observe(one)
  const model = new Model().take(show.rig.got(one))
  goOn()
  model.take(show.rig.got(one))
  t.equal(model.status, 'FANFOLD_RULE_FAILED')
  // It asks for its view anew, which fails.
  show.rig.observe(one)
  model.take(show.rig.got(one))
  goOn()
  goOn()
  model.take(show.rig.got(one))
  t.match(model, { view: { broken: false, secret: 1 }, status: 'live', problem: undefined })
})

/** A viewer is shown a document whose stream goes on by these definitions: whether it may observe by each. */
function redefined(...definitions: boolean[]) {
  const show = new Show(define(), { n: 0 })
  show.rig.open(one)
  show.rig.observe(one)
  for (const [name, may] of Object.entries({ open: true, closed: false })) {
    show.rig.load(name, define({ observe: { allow: () => may } }))
  }
  return interrupt(show, definitions, may => show.history.define(may ? 'open' : 'closed'))
}

t.test('who may not observe by a definition that is over is not turned out for it', async t => {
  const { show, goOn } = redefined(false, false, true)
  for (let count = 0; count < 3; count++) goOn()
  show.change(put('/n', 1))
  const frames = show.rig.got(one)
  t.notOk(frames.some(({ type }) => type === 'refused'))
  const model = new Model().take(frames)
  t.match(model, { view: { n: 1 }, status: 'live', problem: undefined })
})

t.test('it is turned out when the stream is there and it may not observe still', async t => {
  const { show, goOn } = redefined(true, false, false)
  const refused = () => show.rig.got(one).filter(({ type }) => type === 'refused')
  goOn()
  goOn()
  t.same(refused(), [], 'more is to come')
  goOn()
  t.match(refused(), [{ code: 'FANFOLD_FORBIDDEN' }])
})

t.test('nor for a token that the document as it was does not let in', async t => {
  const { show, goOn } = redefined(false, true)
  goOn()
  show.rig.renew(one, { claims: { other: true } })
  t.notOk(show.rig.got(one).some(({ type }) => type === 'refused'))
  goOn()
  t.ok(rangesOf(show.rig.got(one)).includes('=4'))
})
