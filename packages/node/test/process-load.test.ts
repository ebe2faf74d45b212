import t from 'tap'
import { ProcessLoad } from '../src/process-load.ts'
import { ProcessRoles } from '../src/process-roles.ts'

t.test('what is sent in a second is counted from one measurement to the next', async t => {
  const edge = {
    counts: { documents: 3, viewers: 70 },
    links: { bytesOut: 100 },
    bytesOut: 1_000,
  }
  const proxy = { counts: { documents: 5, children: 9 }, links: { bytesOut: 2_000 } }
  const roles = Object.assign(new ProcessRoles(), { proxies: [proxy], edges: [edge] })
  let nowMs = 10_000
  const load = new ProcessLoad(roles as unknown as ProcessRoles, () => nowMs)
  const counts = { documents: 5, viewers: 70, children: 9 }
  t.same(load.measure(), { ...counts, bytesPerSecond: 0 }, 'in no time nothing is said')
  nowMs += 2_000
  edge.bytesOut += 3_000
  proxy.links.bytesOut += 1_000
  t.same(load.measure(), { ...counts, bytesPerSecond: 2_000 })
  nowMs += 500
  t.same(load.measure(), { ...counts, bytesPerSecond: 0 })
})
