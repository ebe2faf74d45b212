/* Who gets a place for one more document. */
import { type DocumentKey, type LinkFrame, type LinkId, parseDocumentKey } from '@fanfold/protocol'
import { Detours, defaultFanOutOptions } from '@fanfold/topology'
import t from 'tap'
import {
  child,
  framesOf,
  link,
  parent,
  positionAt,
  Rig,
  records,
  snapshot,
  welcome,
} from './build-proxy.ts'

const other = link(3)
const key = (name: string): DocumentKey => parseDocumentKey(`acme/match/${name}`)

/** A proxy with room for eight documents, and one of two children that has asked for twenty. */
function crowded(): {
  readonly rig: Rig
  readonly ask: (from: LinkId, ...names: string[]) => void
} {
  const rig = new Rig({ documentsMax: 8 })
  for (const id of [parent, child, other]) rig.open(id)
  const ask = (from: LinkId, ...names: string[]): void => {
    for (const name of names) {
      const join = { doc: key(name), have: undefined, credit: 1, take: 'any', codecs: 0 } as const
      rig.frame(from, { kind: 'join', ...join })
    }
  }
  ask(child, ...Array.from({ length: 20 }, (_, index) => `m${index}`))
  return { rig, ask }
}

t.test('a child that asks for everything leaves the others their part', async t => {
  const { rig, ask } = crowded()
  t.equal(rig.proxy.documentCount, 6)
  t.equal(rig.sent(child).length, 14)
  ask(other, 'a', 'b', 'c')
  t.equal(rig.proxy.documentCount, 8)
  t.match(rig.sent(other), [{ kind: 'refused', code: 'FANFOLD_OVERLOADED' }], 'but no more')
})

t.test('what a child was refused for want of room takes nothing of its part', async t => {
  const { rig, ask } = crowded()
  ask(other, 'a', 'b', 'c', 'd', 'e', 'f')
  t.equal(rig.proxy.documentCount, 8)
  rig.frame(other, { kind: 'leave', doc: key('a') })
  rig.pass(600)
  t.equal(rig.proxy.documentCount, 7)
  ask(child, 'm19')
  t.equal(rig.proxy.documentCount, 7, 'who has far more than its part gets no more')
  ask(other, 'g')
  t.equal(rig.proxy.documentCount, 8)
})

t.test('two proxies that ask each other beside who serves them refuse each other', async t => {
  let route: readonly string[] = ['above']
  const rig = new Rig({}, { routes: { routeOf: () => route } })
  const beside = link(101)
  rig.open(parent, 239, { node: 'above' })
  rig.open(beside, 239, { node: 'other', roles: ['proxy'] })
  rig.open(other, 239, { node: 'other', roles: ['proxy'] })
  rig.open(child)
  rig.join()
  rig.frame(parent, welcome('snapshot', 20), ...snapshot(20))
  rig.effects()
  route = ['other']
  rig.take({ kind: 'routes-changed' })
  t.match(rig.sent(beside), [{ kind: 'join', take: 'tail' }])
  rig.join(other, positionAt(20))
  t.match(rig.sent(other), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT' }])
  rig.frame(parent, records(21, 22))
  t.match(rig.sent(child).at(-1), { kind: 'records' }, 'nobody misses anything meanwhile')
})

t.test('a child that is turned away does not take the document from who came after it', async t => {
  const tiers = new Detours({ base: () => ['root'], self: 'me', options: defaultFanOutOptions })
  const tree = {
    self: 'me',
    fanOut: defaultFanOutOptions,
    pathOf: (key: DocumentKey) => tiers.pathOf(key),
    recruitsFor: () => [],
    isProxy: () => true,
  }
  const rig = new Rig({}, { routes: { routeOf: key => tiers.routeOf(key), tiers }, tree })
  rig.open(parent, 239, { node: 'root', roles: ['proxy'] })
  // Both wait; then it turns out that the first is above this node.
  rig.open(link(1), 239, { node: 'above', roles: ['proxy'] })
  rig.open(link(2), 239, { node: 'edge', roles: ['edge'] })
  rig.join(link(1))
  rig.join(link(2))
  const place = { path: ['owner', 'above', 'root'], others: [] }
  rig.frame(parent, { ...welcome('snapshot', 10), place } as LinkFrame, ...snapshot(10))
  const effects = rig.effects()
  t.match(framesOf(effects, link(1)), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT' }])
  t.match(framesOf(effects, link(2))[0], { kind: 'welcome' })
  rig.pass(1_000)
  t.same(
    rig.sent(parent).filter(({ kind }) => kind === 'leave'),
    [],
    'it is still followed',
  )
  rig.frame(parent, records(11, 11))
  t.match(rig.sent(link(2)), [{ kind: 'records' }])
})
