import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { HeadSignals } from '../src/head-signals.ts'
import { at, doc } from './build-stream.ts'

const semis = parseDocumentKey('acme/match/semis')
const begin = (): HeadSignals => new HeadSignals()

t.test('a head is due once, a while after the last record', async t => {
  const heads = begin()
  for (let ms = 0; ms <= 5_000; ms += 100) {
    heads.published(doc, at(ms))
    t.same([...heads.due(at(ms))], [], `${ms} ms`)
  }
  t.same([...heads.due(at(5_999))], [])
  t.same([...heads.due(at(6_000))], [doc])
  t.same([...heads.due(at(60_000))], [])
  t.equal(heads.wakeAt(), undefined)
  t.equal(heads.count, 0)
})

t.test('a document that records come to all the time is looked at once in a while', async t => {
  const heads = begin()
  let looks = 0
  for (let ms = 0; ms < 10_000; ms++) {
    heads.published(doc, at(ms))
    const wakeAt = heads.wakeAt()
    if (wakeAt !== undefined && wakeAt <= at(ms)) {
      looks++
      t.same([...heads.due(at(ms))], [])
    }
  }
  t.ok(looks <= 10, `${looks} looks at 10,000 records`)
})

t.test('each document is due by itself, and one that is forgotten never', async t => {
  const heads = begin()
  heads.published(doc, at(0))
  heads.published(semis, at(10))
  t.equal(heads.wakeAt(), at(1_000))
  t.same([...heads.due(at(1_010))], [doc, semis])
  heads.published(doc, at(2_000))
  heads.forget(doc)
  t.same([...heads.due(at(9_000))], [])
})
