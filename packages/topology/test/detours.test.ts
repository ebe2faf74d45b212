import { after, type Instant, instant, milliseconds } from '@fanfold/kernel'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { Detours } from '../src/detours.ts'

const doc: DocumentKey = parseDocumentKey('acme/match/final')
const at = (ms: number): Instant => after(instant(0), milliseconds(ms))
const nobodyIsDown = (): boolean => false

function detours(...base: string[]): Detours {
  return new Detours({ base: () => base, self: 'me', options: { tiersMax: 4 } })
}

/** The node has named others, and serves us meanwhile or not. */
const named = (tiers: Detours, from: string, to: string[], isServed = false, ms = 0): void =>
  tiers.redirected(doc, { from, to, isServed }, nobodyIsDown, at(ms))

t.test('a document is asked where the route says until somebody names others', async t => {
  const tiers = detours('root', 'owner')
  t.same(tiers.routeOf(doc), ['root', 'owner'])
  t.ok(tiers.isMovable(doc))
  named(tiers, 'root', ['a', 'b'])
  t.same(tiers.routeOf(doc), ['a'])
  t.equal(tiers.count, 1)
  named(tiers, 'a', ['c', 'b'])
  t.same(tiers.routeOf(doc), ['c'], 'down before elsewhere')
})

t.test('nobody is asked twice, and at the end it is asked as one that stays', async t => {
  const tiers = detours('root')
  named(tiers, 'root', ['a'])
  named(tiers, 'a', ['root', 'b'])
  t.same(tiers.routeOf(doc), ['b'])
  named(tiers, 'b', ['a', 'root', 'me'])
  t.same(tiers.routeOf(doc), ['root'])
  t.notOk(tiers.isMovable(doc))
  tiers.welcomed(doc, 'root', { path: ['owner', 'root'], others: [] })
  t.ok(tiers.isMovable(doc), 'the next time it may be sent on again')
})

t.test('who has taken us stays the route, and names who comes after it', async t => {
  const tiers = detours('root')
  named(tiers, 'root', ['a', 'b'])
  tiers.welcomed(doc, 'a', { path: ['owner', 'root', 'a'], others: ['root', 'x', 'me'] })
  t.same(tiers.pathOf(doc), ['owner', 'root', 'a'])
  t.equal(tiers.wakeAt(), at(10_000), 'nobody is waited for')
  tiers.lost('b', at(1))
  t.same(tiers.routeOf(doc), ['a'])
  tiers.lost('a', at(1))
  t.same(tiers.routeOf(doc), ['root'], 'the one above first')
  tiers.lost('root', at(2))
  t.same(tiers.routeOf(doc), ['x'])
})

t.test('full nodes that serve us until we are elsewhere do not send us round', async t => {
  const tiers = detours('root')
  const place = (...path: string[]) => ({ path: ['owner', 'root', ...path], others: ['root'] })
  named(tiers, 'root', ['a', 'b'], true)
  tiers.welcomed(doc, 'a', place('a'))
  named(tiers, 'a', ['b', 'root'], true, 100)
  tiers.welcomed(doc, 'b', place('b'))
  named(tiers, 'b', ['a', 'root'], true, 200)
  t.same(tiers.routeOf(doc), ['b'], 'who serves us last goes on')
  named(tiers, 'b', ['a'], true, 9_000)
  t.same(tiers.routeOf(doc), ['b'])
  t.same(tiers.due(at(19_000)), [])
  named(tiers, 'b', ['a'], true, 19_001)
  t.same(tiers.routeOf(doc), ['a'], 'after a while somebody may have room')
})

t.test('who was sent to where the route leads goes on by the route', async t => {
  const tiers = detours('root', 'owner')
  named(tiers, 'a', ['root'], true)
  t.same(tiers.routeOf(doc), ['root'])
  tiers.welcomed(doc, 'root', { path: ['owner', 'root'], others: ['owner', 'a'] })
  t.same(tiers.routeOf(doc), ['root', 'owner'])
  named(tiers, 'root', ['owner'])
  tiers.welcomed(doc, 'owner', { path: ['owner'], others: [] })
  t.same(tiers.routeOf(doc), ['root', 'owner'], 'the owner serves nobody for long')
})

t.test('a refusal is passed over, a second one not', async t => {
  const tiers = detours('root')
  named(tiers, 'root', ['a', 'b'])
  t.notOk(tiers.refused(doc, 'other', true, at(0)), 'of somebody else it says nothing')
  t.notOk(tiers.refused(doc, 'a', false, at(0)), 'it may have to get the document first')
  t.ok(tiers.refused(doc, 'a', false, at(1)))
  t.same(tiers.routeOf(doc), ['b'])
  t.ok(tiers.refused(doc, 'b', true, at(2)), 'where it stands it will not give anything')
  t.same(tiers.routeOf(doc), ['root'])
})

t.test('who is down is not asked, and who does not answer not for long', async t => {
  const tiers = detours('root')
  tiers.redirected(
    doc,
    { from: 'root', to: ['a', 'b', 'c'], isServed: false },
    n => n === 'a',
    at(0),
  )
  t.same(tiers.routeOf(doc), ['b'])
  t.equal(tiers.wakeAt(), at(3_000))
  t.same(tiers.due(at(2_999)), [])
  t.same(tiers.due(at(3_000)), [doc])
  t.same(tiers.routeOf(doc), ['c'])
})

t.test('who is served while it is sent on goes back when nobody takes it', async t => {
  const tiers = detours('root')
  named(tiers, 'root', ['a'], true)
  t.same(tiers.routeOf(doc), ['a'])
  tiers.lost('a', at(1))
  t.same(tiers.routeOf(doc), ['root'])
  t.ok(tiers.isMovable(doc))
  named(tiers, 'root', ['b'])
  tiers.welcomed(doc, 'b', { path: ['owner', 'root', 'b'], others: [] })
  named(tiers, 'b', ['c'], true)
  tiers.lost('c', at(2))
  t.same(tiers.routeOf(doc), ['b'], 'also below')
})

t.test('a parent below us is of no use, nor is one too far down', async t => {
  const tiers = detours('root')
  t.equal(tiers.welcomed(doc, 'root', { path: ['owner', 'me', 'root'], others: [] }), 'loop')
  t.same(tiers.pathOf(doc), [])
  t.equal(tiers.pathChanged(doc, ['owner', 'a', 'b', 'c', 'd']), 'too-deep')
  t.equal(tiers.pathChanged(doc, ['owner', 'a', 'b', 'c']), undefined)
  t.same(tiers.pathOf(doc), ['owner', 'a', 'b', 'c'])
})

t.test('a parent in the same process is no loop', async t => {
  const tiers = detours('me')
  t.equal(tiers.welcomed(doc, 'me', { path: ['me'], others: [] }), undefined)
  t.same(tiers.pathOf(doc), [])
  t.equal(tiers.welcomed(doc, 'me', { path: ['owner', 'me'], others: [] }), undefined)
  t.same(tiers.pathOf(doc), ['owner'])
})

t.test('who is lost is passed over each time that somebody goes there', async t => {
  const tiers = detours('root')
  named(tiers, 'home', ['a'], true)
  tiers.welcomed(doc, 'a', { path: ['owner', 'root', 'a'], others: [] })
  named(tiers, 'a', ['b'], true)
  t.notOk(tiers.lost('a', at(1)), 'it is not asked now')
  t.ok(tiers.refused(doc, 'b', true, at(2)))
  t.same(tiers.routeOf(doc), ['a'])
  t.ok(tiers.lost('a', at(3)))
  t.same(tiers.routeOf(doc), ['root'])
})

t.test('a document that is not followed any more leaves nothing', async t => {
  const tiers = detours('root')
  named(tiers, 'root', ['a'])
  tiers.forget(doc)
  t.same([tiers.count, tiers.wakeAt(), tiers.routeOf(doc)], [0, undefined, ['root']])
})

t.test(
  'a node that can serve us nothing where it stands leaves our own place as it is',
  async t => {
    const tiers = detours('root')
    tiers.welcomed(doc, 'root', { path: ['owner', 'root'], others: [] })
    t.equal(tiers.welcomed(doc, 'a', { path: ['owner', 'me', 'a'], others: [] }), 'loop')
    t.same(tiers.pathOf(doc), ['owner', 'root'])
    t.equal(tiers.pathChanged(doc, ['owner', 'me', 'root']), 'loop')
    t.same(tiers.pathOf(doc), [], 'who serves us stands elsewhere')
  },
)
