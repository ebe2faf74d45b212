import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { firstOf, Lingering } from '../src/lingering.ts'
import { at, doc } from './build-stream.ts'

t.test(
  'a document that was released is unused after a while, unless somebody wants it',
  async t => {
    const lingering = new Lingering(500)
    lingering.release(doc, at(0), at(0))
    t.equal(lingering.wakeAt(), at(500))
    lingering.release(doc, at(400), at(400))
    t.equal(lingering.wakeAt(), at(500), 'said again, it is no later')
    t.same([...lingering.due(at(499))], [])
    lingering.keep(doc)
    t.equal(lingering.wakeAt(), undefined)
    lingering.release(doc, at(600), at(2_000))
    t.equal(lingering.wakeAt(), at(2_000), 'not before it is expected')
    t.same([...lingering.due(at(2_000))], [doc])
  },
)

t.test('of many that are unused so many have their turn', async t => {
  const lingering = new Lingering(0)
  const keys = [1, 2, 3].map(index => parseDocumentKey(`acme/match/d${index}`))
  for (const key of keys) lingering.release(key, at(0), at(0))
  t.equal([...firstOf(lingering.due(at(0)), 2)].length, 2)
  t.equal([...firstOf(lingering.due(at(0)), 2)].length, 1)
})
