import t from 'tap'
import {
  apart,
  crossingList,
  effectKinds,
  faultKinds,
  fleetCrossingList,
} from '../src/crossing-list.ts'

t.test('every effect is to meet every fault, but for those that are said not to', async t => {
  const all = Object.keys(effectKinds).length * faultKinds.size
  const not = apart.reduce((sum, { fault }) => sum + (fault === '*' ? faultKinds.size : 1), 0)
  t.equal(crossingList.length, all - not)
  t.equal(new Set(crossingList).size, crossingList.length)
  t.ok(crossingList.includes('link-send × crash'))
})

t.test('in a fleet there is more to meet, but nobody is given parents', async t => {
  const list = new Set(fleetCrossingList)
  t.equal(list.size, fleetCrossingList.length)
  const more = ['view-changed × pause', 'log-append × coordinator-away', 'log-follow × crash']
  for (const name of more) {
    t.ok(list.has(name))
    t.notOk(crossingList.includes(name))
  }
  t.notOk(list.has('want-parents × crash'))
  const missing = crossingList.filter(name => !list.has(name))
  t.ok(missing.every(name => name.startsWith('want-parents × ')))
})
