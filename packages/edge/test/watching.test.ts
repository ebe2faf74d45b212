/* Where viewers look, folded by the edge without a word of theirs. */
import { countBy, type EdgeDefinition } from '@fanfold/definition'
import type { JsonValue } from '@fanfold/document'
import t from 'tap'
import { CrowdRig } from './crowd-rig.ts'
import { define, doc, viewer } from './edge-log.ts'
import { Show } from './history.ts'

const [one, two, three] = [viewer(1), viewer(2), viewer(3)]

const anything: NonNullable<EdgeDefinition['viewState']> = {
  '~standard': { version: 1, vendor: 'test', validate: value => ({ value }) },
}

/** The reducer of the rig counts what is called `cheer`. */
const watching = (of: (viewState: unknown) => unknown, everyMs = 1_000): EdgeDefinition =>
  define({
    viewState: anything,
    reducers: {},
    watched: { cheer: { everyMs, of, into: countBy({ top: 8 }) } },
  })

const panel = (viewState: unknown): unknown =>
  (viewState as { panel?: string } | undefined)?.panel ?? 'table'

/** Viewers, each with what it looks at; undefined for one that does not say. */
function rigOf(looks: readonly (JsonValue | undefined)[], definition = watching(panel)): CrowdRig {
  const crowd = new CrowdRig({}, definition)
  for (const [at, viewState] of looks.entries()) {
    const id = viewer(at + 1)
    if (at > 0) crowd.come(id)
    if (viewState !== undefined) crowd.rig.request(id, { type: 'viewState', doc, viewState })
    crowd.rig.got(id)
  }
  return crowd
}

t.test('each viewer counts once each time, for what it looks at', async t => {
  const crowd = rigOf([{ panel: 'poll' }, undefined, { panel: 'poll' }])
  crowd.rig.pass(999)
  t.same(crowd.said(), [], 'not before its time')
  crowd.rig.pass(1)
  crowd.settle()
  t.same(crowd.counts, { poll: 2, table: 1 })
  crowd.rig.request(one, { type: 'viewState', doc, viewState: { panel: 'table' } })
  crowd.rig.take({ kind: 'viewer-closed', viewer: three })
  crowd.rig.pass(1_000)
  crowd.settle()
  t.same(crowd.counts, { poll: 2, table: 3 })
  t.same(crowd.told(two), [], 'nobody hears of it')
})

t.test('when nobody looks nothing is folded, and the document is let go', async t => {
  const crowd = rigOf([{ panel: 'poll' }])
  crowd.rig.pass(1_000)
  crowd.settle()
  crowd.rig.take({ kind: 'viewer-closed', viewer: one })
  crowd.rig.pass(120_000)
  t.same(crowd.counts, { poll: 1 })
  t.equal(crowd.rig.edge.documentCount, 0)
  t.equal(crowd.rig.edge.wakeAt(), undefined)
})

t.test('what is undefined is nothing, and what throws is told and counts as nothing', async t => {
  const none = rigOf(
    [undefined, { panel: 'poll' }],
    watching(seen => seen && panel(seen)),
  )
  none.rig.pass(1_000)
  none.settle()
  t.same(none.counts, { poll: 1 })
  const failing = rigOf(
    [{ panel: 'poll' }],
    watching(() => {
      throw new Error('not today')
    }),
  )
  failing.rig.pass(1_000)
  const facts = failing.rig.effects().flatMap(effect => {
    return effect.kind === 'fact' && effect.fact.event === 'rule-failed' ? [effect.fact] : []
  })
  t.match(facts, [{ doc, place: 'watched.cheer', code: 'FANFOLD_RULE_FAILED' }])
  t.same(failing.said(), [])
  const long = rigOf(
    [{ panel: 'poll' }],
    watching(() => 'x'.repeat(1_000)),
  )
  long.rig.pass(1_000)
  t.match(
    long.rig.effects().flatMap(effect => (effect.kind === 'fact' ? [effect.fact] : [])),
    [{ event: 'rule-failed', place: 'watched.cheer' }],
  )
})

t.test('nobody can say what is watched', async t => {
  const crowd = rigOf([{ panel: 'poll' }])
  t.match(crowd.add(one, 'poll'), [{ type: 'rejected', code: 'FANFOLD_NO_REDUCER' }])
})

t.test(
  'without room for one more the others are not seen this time, and nothing is lost',
  async t => {
    const crowd = rigOf([{ panel: 'poll' }, { panel: 'table' }])
    for (let round = 0; round < 30; round++) crowd.rig.pass(1_000)
    crowd.settle()
    const { poll = 0, table = 0 } = crowd.counts
    t.ok(poll > 0 && poll <= 30 && table <= poll, `${poll}, ${table}`)
  },
)

t.test('what a new definition watches is watched from then on', async t => {
  const show = new Show(define(), { n: 0 })
  show.rig.open(one)
  show.rig.observe(one)
  show.rig.pass(5_000)
  const asked = (): number[] =>
    show.rig.sent().flatMap(frame => (frame.kind === 'crowd' ? [frame.asked] : []))
  t.same(asked(), [])
  show.rig.load('second', watching(panel))
  show.history.define('second')
  show.rig.frame(show.history.last())
  show.rig.pass(999)
  t.same(asked(), [])
  show.rig.pass(1)
  t.same(asked(), [1], 'there is something to say: a session is asked for')
})
