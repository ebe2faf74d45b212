import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { type MovedDocument, PlacementSweep } from '../src/placement-sweep.ts'

const docs = Array.from({ length: 25 }, (_, index) => parseDocumentKey(`acme/match/${index}`))
const before = () => 'a'
const after = (doc: string) => (doc.endsWith('7') ? 'b' : 'a')

await t.test('what moved is found, slice by slice', async t => {
  const sweep = new PlacementSweep({ docs, before, after })
  const slices: MovedDocument[][] = []
  while (!sweep.isDone) slices.push(sweep.next(10))
  t.same(slices, [
    [{ doc: 'acme/match/7', from: 'a', to: 'b' }],
    [{ doc: 'acme/match/17', from: 'a', to: 'b' }],
    [],
  ])
  t.same(sweep.next(10), [])
})

await t.test('no more documents are looked at than the slice has', async t => {
  let looked = 0
  const counted = (doc: string) => {
    looked++
    return after(doc)
  }
  const sweep = new PlacementSweep({ docs, before, after: counted })
  sweep.next(10)
  t.equal(looked, 10)
  t.notOk(sweep.isDone)
})

await t.test('nothing is done at once where there is nothing', async t => {
  const sweep = new PlacementSweep({ docs: [], before, after })
  t.same(sweep.next(1), [])
  t.ok(sweep.isDone)
})

await t.test('documents that go meanwhile are not looked at', async t => {
  const held = new Map(docs.map(doc => [doc, 'a']))
  const sweep = new PlacementSweep({
    docs: held.keys(),
    before: doc => held.get(doc),
    after: () => 'b',
  })
  t.equal(sweep.next(5).length, 5)
  for (const doc of docs.slice(10)) held.delete(doc)
  t.equal(sweep.next(100).length, 5)
})
