/* What an edge tells who looks at the tree of a document. */
import { encodeLinkFrame, type LinkFrame, type LinkId } from '@fanfold/protocol'
import t from 'tap'
import { live, type Rig } from './build-edge.ts'
import { doc, records, viewer } from './edge-log.ts'

const question = (number: number): LinkFrame => ({
  kind: 'request-tree',
  number,
  doc,
  isWhole: false,
  withinMs: 2_000,
  entriesMax: 1,
})

const looksIn = (rig: Rig): LinkFrame[] =>
  rig.sent().filter(({ kind }) => kind === 'tree' || kind === 'request-tree')

t.test('its parent is told how far it is and how many observe', async t => {
  const rig = live()
  rig.open(viewer(2))
  rig.observe(viewer(2))
  rig.frame(records(11, 13))
  rig.effects()
  rig.frame(question(7))
  const [answer] = looksIn(rig)
  t.match(answer, {
    kind: 'tree',
    number: 7,
    entries: [
      {
        above: undefined,
        role: 'edge',
        node: '',
        region: '',
        standing: {
          seq: 13,
          viewers: 2,
          children: 0,
          notAsked: 0,
          isLive: true,
          lagMs: Number,
          recentRecords: 3,
          recentBytes: Number,
        },
      },
    ],
  })
  t.notOk(JSON.stringify(answer).includes('ada'), 'and not who')
})

t.test('another parent than the one that serves it is told that nothing is there', async t => {
  const rig = live()
  const other = 101 as LinkId
  rig.openParent(other)
  rig.effects()
  rig.take({ kind: 'link-frame', link: other, frame: encodeLinkFrame(question(7)) })
  t.same(looksIn(rig), [{ kind: 'tree', number: 7, entries: [] }])
})

t.test(
  'who looks at it is told what its parent tells, or of itself where there is none',
  async t => {
    const rig = live()
    rig.take({ kind: 'tree-asked', look: 5, doc })
    t.match(looksIn(rig), [{ kind: 'request-tree', isWhole: true }])
    rig.closeParent()
    rig.pass(4_000)
    const told = rig.effects().filter(({ kind }) => kind === 'tree-told')
    t.match(told, [
      { look: 5, entries: [{ role: 'edge', node: '', standing: { viewers: 1, isLive: false } }] },
    ])
  },
)
