import type { WarmDocument, WarmEffect } from '@fanfold/document'
import { instant } from '@fanfold/kernel'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { WarmKeeping } from '../src/warm-keeping.ts'
import { doc, snapshotAt } from './build-proxy.ts'

const at = (ms: number) => instant(ms * 1_000)
const semis = parseDocumentKey('acme/match/semis')
const document: WarmDocument = { snapshot: snapshotAt(10), records: [], ceiling: 239 }

/** Keeping, with what it wants done. */
class Rig {
  readonly keeping: WarmKeeping
  readonly nothing = new Set<DocumentKey>()
  readonly #effects: WarmEffect[] = []

  constructor() {
    this.keeping = new WarmKeeping(key => (this.nothing.has(key) ? undefined : document))
  }

  tick(ms: number): string[] {
    this.keeping.tick(at(ms), this.#effects)
    return this.taken()
  }

  keepAll(): string[] {
    this.keeping.keepAll(this.#effects)
    return this.taken()
  }

  drop(): string[] {
    this.keeping.drop(doc, this.#effects)
    return this.taken()
  }

  taken(): string[] {
    return this.#effects.splice(0).map(({ kind, doc }) => `${kind} ${doc}`)
  }
}

t.test('one document is kept in a turn, ten seconds after it changed', async t => {
  const rig = new Rig()
  rig.keeping.changed(doc, at(0))
  rig.keeping.changed(semis, at(0))
  rig.keeping.changed(doc, at(5_000))
  t.same(rig.tick(9_999), [])
  t.same(rig.tick(10_000), [`warm-keep ${doc}`])
  t.same(rig.tick(10_000), [`warm-keep ${semis}`])
  t.equal(rig.keeping.wakeAt(), undefined)
})

t.test('what changes while it is kept is kept again after that', async t => {
  const rig = new Rig()
  rig.keeping.changed(doc, at(0))
  rig.tick(10_000)
  rig.keeping.changed(doc, at(11_000))
  t.equal(rig.keeping.wakeAt(), undefined)
  rig.keeping.kept(doc, at(60_000))
  t.same(rig.tick(70_000), [`warm-keep ${doc}`])
})

t.test('all is kept when there is no more time, and what is dropped is not', async t => {
  const rig = new Rig()
  rig.keeping.changed(doc, at(0))
  rig.keeping.changed(semis, at(0))
  t.same(rig.drop(), [`warm-drop ${doc}`])
  t.same(rig.keepAll(), [`warm-keep ${semis}`])
  t.same(rig.keepAll(), [])
  t.equal(rig.keeping.count, 0)
})

t.test('a document of which nothing is worth keeping waits for its next change', async t => {
  const rig = new Rig()
  rig.nothing.add(doc)
  rig.keeping.changed(doc, at(0))
  t.same(rig.tick(10_000), [])
  t.equal(rig.keeping.wakeAt(), undefined)
  rig.nothing.delete(doc)
  rig.keeping.changed(doc, at(20_000))
  t.same(rig.tick(30_000), [`warm-keep ${doc}`])
})
