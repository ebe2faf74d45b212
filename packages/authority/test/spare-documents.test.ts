import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { SpareDocuments } from '../src/spare-documents.ts'

const keys: readonly DocumentKey[] = Array.from({ length: 20 }, (_, at) =>
  parseDocumentKey(`acme/match/m${at}`),
)

function spares(): SpareDocuments {
  const spare = new SpareDocuments()
  for (const key of keys) spare.add(key)
  return spare
}

t.test('the first that can go is found', async t => {
  const spare = spares()
  t.equal(
    spare.find(doc => doc !== keys[0]),
    keys[1],
  )
  spare.delete(keys[1] as DocumentKey)
  t.notOk(spare.has(keys[1] as DocumentKey))
  t.equal(
    spare.find(() => true),
    keys[2],
    'who could not go is looked at last',
  )
})

t.test('one request looks at some, the next at others', async t => {
  const spare = spares()
  const looked: DocumentKey[] = []
  const canGo = (doc: DocumentKey): boolean => {
    looked.push(doc)
    return doc === keys[18]
  }
  t.equal(spare.find(canGo), undefined)
  t.same(looked, keys.slice(0, 16))
  t.equal(spare.find(canGo), keys[18])
})

t.test('of none there is none', async t => {
  t.equal(
    new SpareDocuments().find(() => true),
    undefined,
  )
})
