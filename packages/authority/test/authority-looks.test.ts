/* What an authority tells who looks at the tree of a document. */
import type { LinkFrame, LinkId, PeerIdentity, TreeEntry } from '@fanfold/protocol'
import t from 'tap'
import type { AuthorityEffect } from '../src/authority-effect.ts'
import { child, peer } from './build-authority.ts'
import { doc, framesOf, link } from './build-document.ts'
import { OwnedRig } from './build-owned.ts'

const proxy: PeerIdentity = { ...peer, node: 'proxy-1', region: 'eu', roles: ['proxy'] }
const other: PeerIdentity = { ...peer, node: 'b', roles: ['authority'] }
const toOther = link(50)

const question = (number: number, isWhole = true): LinkFrame => ({
  kind: 'request-tree',
  number,
  doc,
  isWhole,
  withinMs: 2_000,
  entriesMax: 512,
})

const told = (effects: readonly AuthorityEffect[]): (readonly TreeEntry[])[] =>
  effects.flatMap(effect => (effect.kind === 'tree-told' ? [effect.entries] : []))

const open = (rig: OwnedRig, id: LinkId, who: PeerIdentity, dialled = false): void =>
  rig.take({ kind: 'link-opened', link: id, peer: who, dialled })

/** A rig whose document has three records and a proxy below it, with edges. */
function served(): OwnedRig {
  const rig = new OwnedRig()
  for (let count = 0; count < 3; count++) rig.commit()
  open(rig, child, proxy)
  rig.ask()
  for (const [signal, value] of [
    ['presence', 40],
    ['edges', 300],
  ] as const) {
    rig.frame({ kind: 'signal', signal, doc, value })
  }
  rig.effects()
  return rig
}

t.test('it tells how the document stands, and asks those who have it', async t => {
  const rig = served()
  rig.take({ kind: 'tree-asked', look: 3, doc })
  const [asked] = framesOf(rig.effects())
  t.match(asked, { kind: 'request-tree', doc, isWhole: false, entriesMax: 511, withinMs: 3_800 })
  const number = asked?.kind === 'request-tree' ? asked.number : 0
  const entries: TreeEntry[] = [
    { above: undefined, role: 'proxy', node: '', region: '', standing: undefined },
    { above: 0, role: 'edge', node: 'edge-1', region: 'eu', standing: undefined },
  ]
  rig.frame({ kind: 'tree', number, entries })
  const [tree = []] = told(rig.effects())
  t.match(tree, [
    {
      above: undefined,
      role: 'authority',
      node: '',
      standing: { epoch: 1, viewers: 40, children: 1, notAsked: 0, isLive: true },
    },
    { above: 0, role: 'proxy', node: 'proxy-1', region: 'eu' },
    { above: 1, role: 'edge', node: 'edge-1' },
  ])
  const { seq, recentRecords } = tree[0]?.standing ?? {}
  t.ok(seq !== undefined && seq >= 3 && recentRecords === seq, 'and what was committed lately')
})

t.test('a child that asks about the whole tree is told, whatever it has', async t => {
  const rig = new OwnedRig()
  rig.commit()
  open(rig, child, proxy)
  rig.frame(question(9))
  t.match(framesOf(rig.effects()), [{ kind: 'tree', number: 9, entries: [{ role: 'authority' }] }])
  rig.frame(question(10, false))
  t.same(framesOf(rig.effects()), [{ kind: 'tree', number: 10, entries: [] }], 'it has no parent')
})

t.test('no log is read to look at a tree', async t => {
  const rig = new OwnedRig()
  rig.take({ kind: 'tree-asked', look: 3, doc })
  const effects = rig.effects()
  t.match(told(effects), [[{ standing: { epoch: 0, seq: 0, isLive: false } }]])
  t.notOk(effects.some(({ kind }) => kind === 'log-open'))
  t.equal(rig.authority.documentCount, 0)
})

t.test("of another's document the other one is asked", async t => {
  const rig = new OwnedRig()
  rig.move(doc)
  open(rig, toOther, other, true)
  t.equal(rig.authority.childCount, 0, 'it is no child')
  rig.take({ kind: 'tree-asked', look: 3, doc })
  const [asked] = framesOf(rig.effects(), toOther)
  t.match(asked, { kind: 'request-tree', isWhole: true })
  const number = asked?.kind === 'request-tree' ? asked.number : 0
  const entries: TreeEntry[] = [
    { above: undefined, role: 'authority', node: '', region: '', standing: undefined },
  ]
  rig.frame({ kind: 'tree', number, entries }, toOther)
  t.match(told(rig.effects()), [[{ role: 'authority', node: 'b' }]])
})

t.test('while the other one is not reached it tells of itself', async t => {
  const rig = new OwnedRig()
  rig.move(doc)
  rig.take({ kind: 'tree-asked', look: 3, doc })
  t.match(told(rig.effects()), [[{ role: 'authority', node: '', standing: { seq: 0 } }]])
  open(rig, toOther, other, true)
  rig.take({ kind: 'tree-asked', look: 4, doc })
  rig.effects()
  rig.take({ kind: 'link-closed', link: toOther, reason: 'gone' })
  t.match(told(rig.effects()), [[{ node: '' }]])
})

t.test('another authority that sends no frame is sent away', async t => {
  const rig = new OwnedRig()
  open(rig, toOther, other, true)
  rig.take({ kind: 'link-frame', link: toOther, frame: new Uint8Array([7]) })
  t.match(rig.effects(), [{ kind: 'link-close', link: toOther, code: 'FANFOLD_BAD_FRAME' }])
  rig.frame({ kind: 'ping' }, toOther)
  t.same(rig.effects(), [])
})
