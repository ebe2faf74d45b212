/* An assertion that fails inside of one document costs an edge that document, for a while. */
import { parseDocumentKey, type ViewerFrame } from '@fanfold/protocol'
import t from 'tap'
import { doc, viewer } from './edge-log.ts'
import { Model, put, Show } from './history.ts'
import { odds } from './rules.ts'

const [one, two] = [viewer(1), viewer(2)]
const other = parseDocumentKey('acme/match/other')

function watched(): Show {
  const show = new Show(odds(), { score: 0, odds: 1 }, { limits: { lingerMs: 1e9 } })
  for (const id of [one, two]) {
    show.rig.open(id)
    show.rig.observe(id)
    show.rig.observe(id, { doc: other })
    show.rig.got(id)
  }
  show.rig.effects()
  return show
}

/** Something is done while an assertion fails. */
function stumble(show: Show, act: () => void): void {
  show.rig.isStumbling = true
  act()
  show.rig.isStumbling = false
}

const kinds = (frames: readonly ViewerFrame[]): string[] => frames.map(({ type }) => type)

const ofDoc = (frames: readonly ViewerFrame[]): ViewerFrame[] =>
  frames.filter(frame => 'doc' in frame && frame.doc === doc)

t.test('a failed assertion ends one document at an edge, and no other', async t => {
  const show = watched()
  t.equal(show.rig.edge.documentCount, 2)
  stumble(show, () => show.change(put('/score', 1)))
  for (const id of [one, two]) {
    const frames = show.rig.got(id)
    t.same(kinds(frames), ['refused'], 'nothing that the failed step wanted sent goes out')
    t.match(frames, [{ doc, code: 'FANFOLD_SET_ASIDE', retryAfter: 30_000 }])
  }
  const effects = show.rig.effects()
  t.match(
    effects.flatMap(effect => (effect.kind === 'fact' ? [effect.fact] : [])),
    [{ event: 'document-set-aside', doc, error: { message: 'nothing is planted' } }],
  )
  t.equal(effects.filter(({ kind }) => kind === 'cohort-exit').length, 2, 'the rim hears of it')
  t.equal(show.rig.edge.documentCount, 1)
  t.equal(show.rig.edge.viewerCount, 2)
})

t.test('who asks for it meanwhile is told when to come again, and then it is there', async t => {
  const show = watched()
  stumble(show, () => show.change(put('/score', 1)))
  show.rig.got(one)
  show.rig.pass(10_000)
  show.rig.observe(one)
  t.match(ofDoc(show.rig.got(one)), [{ code: 'FANFOLD_SET_ASIDE', retryAfter: 20_000 }])
  t.equal(show.rig.edge.documentCount, 1, 'it is not followed')
  show.rig.frame({ kind: 'left', doc })
  show.rig.pass(20_001)
  show.rig.observe(one)
  show.rig.frame(...show.history.snapshot())
  t.match(new Model().take(ofDoc(show.rig.got(one))).view, { score: 1 })
  show.change(put('/score', 2))
  t.match(ofDoc(show.rig.got(one)), [{ type: 'delta' }])
})

t.test('what a viewer asks for is within the document too', async t => {
  const show = watched()
  const three = viewer(3)
  show.rig.open(three)
  stumble(show, () => show.rig.observe(three))
  t.match(show.rig.got(three), [{ type: 'refused', code: 'FANFOLD_SET_ASIDE' }])
  t.match(show.rig.got(one), [{ type: 'refused', code: 'FANFOLD_SET_ASIDE' }])
  t.equal(show.rig.edge.documentCount, 1)
})
