import { FleetView } from '@fanfold/topology'
import t from 'tap'
import { untilView } from '../src/until-view.ts'

t.test('what is waited for is looked at when something changes, for so long at most', async t => {
  const view = new FleetView({ node: 'a', region: 'eu', roles: ['authority'] })
  let isThere = false
  let isOver = false
  const wait = untilView(view, () => isThere, 20_000).then(() => {
    isOver = true
  })
  view.certain(true)
  await Promise.resolve()
  t.notOk(isOver)
  isThere = true
  view.certain(false)
  await wait
  t.ok(isOver)
  await untilView(view, () => true, 20_000)
  await untilView(view, () => false, 1)
})
