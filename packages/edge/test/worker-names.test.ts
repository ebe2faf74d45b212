import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { WorkerNames } from '../src/worker-names.ts'

const one = parseDocumentKey('acme/match/one')
const two = parseDocumentKey('acme/match/two')

t.test('a replica is of the document that it was opened for, until it is closed', async t => {
  const names = new WorkerNames()
  const first = names.open(one)
  const second = names.open(two)
  t.equal(names.documentOf(first), one)
  t.equal(names.documentOf(second), two)
  names.close(first)
  t.equal(names.documentOf(first), undefined)
  t.equal(names.documentOf(second), two)
  t.equal(names.count, 1)
})

t.test('no name is given twice, of a view neither', async t => {
  const names = new WorkerNames()
  const given = [names.open(one), names.nextView(), names.nextView()]
  names.close(names.open(one))
  given.push(names.open(one))
  t.equal(new Set<number>(given).size, given.length)
})
