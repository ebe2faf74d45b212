import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { Rig } from './build-edge.ts'
import { doc, snapshot, viewer, welcome } from './edge-log.ts'

const key = (index: number): DocumentKey => parseDocumentKey(`acme/match/none-${index}`)

t.test('an edge follows so many documents and no more, whoever asks', async t => {
  const rig = new Rig({ documentsMax: 3, documentsPerViewerMax: 3 })
  for (let index = 0; index < 3; index++) {
    rig.open(viewer(index + 1))
    for (let at = 0; at < 3; at++) rig.observe(viewer(index + 1), { doc: key(3 * index + at) })
  }
  t.equal(rig.edge.documentCount, 3)
  const refused = rig.got(viewer(3)).at(-1)
  t.match(refused, { type: 'refused', doc: key(8), code: 'FANFOLD_OVERLOADED' })
  const wait = refused?.type === 'refused' ? refused.retryAfter : undefined
  t.ok(wait !== undefined && wait >= 500 && wait < 2_500, `when to come again: ${wait}`)
  rig.observe(viewer(3), { doc: key(0) })
  t.notMatch(
    rig.got(viewer(3)).at(-1) ?? {},
    { code: 'FANFOLD_OVERLOADED' },
    'one that is followed',
  )
})

t.test('documents that were observed in passing give way after a while', async t => {
  const rig = new Rig({ documentsMax: 3, lingerMs: 500 })
  const one = viewer(1)
  rig.open(one)
  for (let index = 0; index < 1_000; index++) {
    rig.observe(one, { doc: key(index) })
    rig.request(one, { type: 'leave', doc: key(index) })
  }
  t.equal(rig.edge.documentCount, 3)
  rig.pass(1_000)
  t.equal(rig.edge.documentCount, 0)
  rig.observe(one, { doc })
  t.equal(rig.edge.documentCount, 1)
})

t.test('who waits for a document that does not come is told, whatever the parent does', async t => {
  for (const hasParent of [false, true]) {
    const rig = new Rig()
    const one = viewer(1)
    if (hasParent) rig.openParent()
    rig.open(one)
    rig.observe(one)
    rig.pass(11_000)
    t.match(rig.got(one), [{ type: 'refused', doc, code: 'FANFOLD_NO_PARENT', retryAfter: Number }])
    rig.pass(60_000)
    t.same(rig.got(one), [], 'once')
    if (!hasParent) rig.openParent()
    rig.pass(5_000)
    rig.frame(welcome('snapshot', 10), ...snapshot(10))
    t.match(rig.got(one), [{ type: 'snapshot' }], 'and gets it when it comes')
  }
})
