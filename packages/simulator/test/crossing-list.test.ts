import t from 'tap'
import { apart, crossingList, effectKinds, faultKinds } from '../src/crossing-list.ts'

t.test('every effect is to meet every fault, but for those that are said not to', async t => {
  const all = Object.keys(effectKinds).length * faultKinds.size
  const not = apart.reduce((sum, { fault }) => sum + (fault === '*' ? faultKinds.size : 1), 0)
  t.equal(crossingList.length, all - not)
  t.equal(new Set(crossingList).size, crossingList.length)
  t.ok(crossingList.includes('link-send × crash'))
})
