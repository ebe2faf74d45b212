/* What a proxy tells who looks at the tree of a document, and whom it asks. */
import type { LinkFrame, TreeEntry } from '@fanfold/protocol'
import t from 'tap'
import {
  child,
  doc,
  effectsOf,
  framesOf,
  link,
  live,
  parent,
  positionAt,
  type Rig,
  records,
} from './build-proxy.ts'

const second = link(2)

const question = (isWhole: boolean, number = 7): LinkFrame => ({
  kind: 'request-tree',
  number,
  doc,
  isWhole,
  withinMs: 2_000,
  entriesMax: 512,
})

const standing = {
  epoch: 1,
  seq: 13,
  viewers: 3,
  children: 0,
  notAsked: 0,
  isLive: true,
  recentRecords: 0,
  recentBytes: 0,
}
const edgeTells: readonly TreeEntry[] = [
  { above: undefined, role: 'edge', node: '', region: '', standing },
]

/** A proxy that serves an edge and another one that says nothing. */
function serving(options: { readonly isFront?: boolean } = {}): Rig {
  const rig = live({}, options)
  rig.open(second, 239, { node: 'edge-2', region: 'eu', roles: ['edge'] })
  rig.join(second, positionAt(10))
  rig.frame(parent, records(11, 13))
  rig.frame(second, { kind: 'signal', signal: 'presence', doc, value: 3 })
  rig.effects()
  return rig
}

const askedOf = (rig: Rig, to: typeof child): Extract<LinkFrame, { kind: 'request-tree' }>[] =>
  rig.sent(to).flatMap(frame => (frame.kind === 'request-tree' ? [frame] : []))

t.test('its parent is told how the proxy stands, and what its children tell', async t => {
  const rig = serving()
  rig.frame(parent, question(false))
  const effects = rig.effects()
  t.same(framesOf(effects, parent), [], 'when they have')
  const [asked] = framesOf(effects, second)
  t.match(asked, { kind: 'request-tree', doc, isWhole: false, entriesMax: 1, withinMs: 1_800 })
  t.match(framesOf(effects, child), [{ kind: 'request-tree' }])
  const number = asked?.kind === 'request-tree' ? asked.number : 0
  rig.frame(second, { kind: 'tree', number, entries: edgeTells })
  rig.pass(2_000)
  t.match(rig.sent(parent), [
    {
      kind: 'tree',
      number: 7,
      entries: [
        {
          role: 'proxy',
          node: '',
          standing: { seq: 13, viewers: 3, children: 2, notAsked: 0, recentRecords: 3 },
        },
        // No token of its says what it is.
        { above: 0, node: 'n1', standing: undefined },
        { above: 0, node: 'edge-2', region: 'eu', role: 'edge', standing: { viewers: 3 } },
      ],
    },
  ])
})

t.test('with the edges of its own node below it, it tells of one edge and asks nobody', async t => {
  const rig = serving({ isFront: true })
  rig.frame(parent, question(false))
  t.match(rig.sent(parent), [
    {
      kind: 'tree',
      entries: [
        { role: 'edge', node: '', standing: { seq: 13, viewers: 3, children: 0, notAsked: 0 } },
      ],
    },
  ])
})

t.test('who looks at it, or at a node below, is told what its parent tells', async t => {
  const rig = serving()
  rig.take({ kind: 'tree-asked', look: 5, doc })
  rig.frame(second, question(true, 9))
  const asked = askedOf(rig, parent)
  t.match(asked, [
    { isWhole: true, entriesMax: 512, withinMs: 3_800 },
    { isWhole: true, withinMs: 1_800 },
  ])
  const top: TreeEntry = { above: undefined, role: 'authority', node: 'top', region: 'r', standing }
  for (const { number } of asked) rig.frame(parent, { kind: 'tree', number, entries: [top] })
  const effects = rig.effects()
  t.same(effectsOf(effects, 'tree-told'), [{ kind: 'tree-told', look: 5, entries: [top] }])
  t.same(framesOf(effects, second), [{ kind: 'tree', number: 9, entries: [top] }])
})

t.test('without a parent the tree begins at the proxy', async t => {
  const rig = serving()
  rig.close(parent)
  rig.effects()
  rig.take({ kind: 'tree-asked', look: 5, doc })
  rig.pass(4_000)
  t.match(effectsOf(rig.effects(), 'tree-told'), [
    {
      look: 5,
      entries: [
        { role: 'proxy', node: '', standing: { seq: 13, isLive: false, staleMs: Number } },
        { node: 'n1' },
        { node: 'edge-2', standing: undefined },
      ],
    },
  ])
})

t.test('of a document that it has not it tells that, and does not begin to follow it', async t => {
  const rig = live()
  rig.close(child)
  rig.pass(1_000)
  t.equal(rig.proxy.documentCount, 0)
  rig.effects()
  rig.frame(parent, question(false))
  t.match(rig.sent(parent), [{ kind: 'tree', number: 7, entries: [] }])
  rig.take({ kind: 'tree-asked', look: 5, doc })
  const [asked] = askedOf(rig, parent)
  t.ok(asked?.isWhole)
  rig.frame(parent, { kind: 'tree', number: asked?.number ?? 0, entries: [] })
  t.match(effectsOf(rig.effects(), 'tree-told'), [
    { entries: [{ role: 'proxy', standing: { epoch: 0, seq: 0, isLive: false } }] },
  ])
  t.equal(rig.proxy.documentCount, 0)
})

t.test('a child whose link is full is told that there is no answer', async t => {
  const rig = serving()
  rig.congest(second, true)
  rig.frame(second, question(true, 9))
  const effects = rig.effects()
  t.same(framesOf(effects, second), [{ kind: 'tree', number: 9, entries: [] }])
  t.same(framesOf(effects, parent), [])
})
