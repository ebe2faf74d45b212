import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { PresenceSums } from '../src/presence-sums.ts'
import { doc, link } from './build-stream.ts'

const semis = parseDocumentKey('acme/match/semis')

t.test('viewers of a document are those that its children count', async t => {
  const sums = new PresenceSums()
  sums.set(doc, link(1), 3)
  sums.set(doc, link(2), 4)
  sums.set(semis, link(1), 5)
  sums.set(doc, link(1), 2)
  t.equal(sums.of(doc), 6)
  t.equal(sums.of(semis), 5)
  t.equal(sums.of(parseDocumentKey('acme/match/other')), 0)
  t.equal(sums.total, 11)
})

t.test('who is gone counts no more, and nothing is kept of it', async t => {
  const sums = new PresenceSums()
  for (let number = 0; number < 1_000; number++) sums.set(doc, link(number), 1)
  for (let number = 0; number < 1_000; number++) sums.leave(doc, link(number))
  t.equal(sums.count, 0)
  t.equal(sums.of(doc), 0)
  sums.set(doc, link(1), 3)
  sums.set(doc, link(1), 0)
  t.equal(sums.count, 0, 'none is as good as gone')
})

t.test('a sum has a number however much children say', async t => {
  const sums = new PresenceSums()
  for (const number of [1, 2]) sums.set(doc, link(number), Number.MAX_SAFE_INTEGER)
  t.equal(sums.of(doc), Number.MAX_SAFE_INTEGER)
})
