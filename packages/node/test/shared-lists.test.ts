import t from 'tap'
import { SharedLists } from '../src/shared-lists.ts'

t.test('lists of the same texts are one', async t => {
  const lists = new SharedLists<string>()
  const shared = lists.share(['observe', 'write'])
  t.same(shared, ['observe', 'write'])
  t.equal(lists.share(['observe', 'write']), shared)
  t.not(lists.share(['write', 'observe']), shared)
  t.not(lists.share(['observe","write']), shared)
  t.throws(() => Object.assign(shared, { 0: 'create' }), TypeError)
})

t.test('however many different ones come, few are kept', async t => {
  const lists = new SharedLists<string>()
  const first = lists.share(['0'])
  for (let index = 1; index < 1_024; index++) lists.share([String(index)])
  t.equal(lists.share(['0']), first, 'still there')
  lists.share(['1024'])
  t.not(lists.share(['0']), first)
  t.same(lists.share(['0']), first)
})
