import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { WorkerNames } from '../src/worker-names.ts'

const one = parseDocumentKey('acme/match/one')
const two = parseDocumentKey('acme/match/two')

t.test('a replica is of the document that it was named for, until its name is free', async t => {
  const names = new WorkerNames()
  const first = names.take(one)
  const second = names.take(two)
  t.equal(names.docOf(first), one)
  t.equal(names.docOf(second), two)
  names.free(first)
  t.equal(names.docOf(first), undefined)
  t.equal(names.docOf(second), two)
  t.equal(names.count, 1)
})

t.test('no name is given twice, of a view neither', async t => {
  const names = new WorkerNames()
  const given = [names.take(one), names.nextView(), names.nextView()]
  names.free(names.take(one))
  given.push(names.take(one))
  t.equal(new Set<number>(given).size, given.length)
})
