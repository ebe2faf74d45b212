import { FleetView, Placement } from '@fanfold/topology'
import t from 'tap'
import { TenantQuotas } from '../src/tenant-quotas.ts'
import { load, problemsOf } from './load-config.ts'
import { entryOf, memberOf } from './placing-rig.ts'

const none = { documentsMax: undefined, viewersMax: undefined, bytesPerSecondMax: undefined }

t.test('the first item whose glob a tenant matches says what it may take', t => {
  const quotas = new TenantQuotas([
    'acme viewers=5 bytesPerSecond=64KiB',
    'a* documents=2',
    '* viewers=9',
  ])
  t.same(quotas.quotaOf('acme'), { ...none, viewersMax: 5, bytesPerSecondMax: 65_536 })
  t.same(quotas.quotaOf('apex'), { ...none, documentsMax: 2 })
  t.same(quotas.quotaOf('beta'), { ...none, viewersMax: 9 })
  t.equal(new TenantQuotas(['acme viewers=5']).quotaOf('beta'), undefined)
  t.end()
})

t.test('other rules count at once, and are told when they differ', t => {
  const quotas = new TenantQuotas(['acme viewers=5'])
  let told = 0
  quotas.onChange(() => told++)
  t.match(quotas.quotaOf('acme'), { viewersMax: 5 })
  quotas.reconfigure(['acme viewers=6'])
  t.match(quotas.quotaOf('acme'), { viewersMax: 6 })
  t.equal(told, 1)
  quotas.reconfigure(['acme viewers=6'])
  t.equal(told, 1)
  quotas.reconfigure([])
  t.equal(quotas.quotaOf('acme'), undefined)
  t.equal(told, 2)
  t.end()
})

t.test('in a fleet what operators have said goes before the configuration, bound by bound', t => {
  const view = new FleetView({ node: 'a', region: 'eu', roles: ['authority', 'edge'] })
  const quotas = new TenantQuotas(['acme documents=10 viewers=10'])
  let told = 0
  quotas.follow(view)
  quotas.onChange(() => told++)
  t.match(quotas.quotaOf('acme'), { viewersMax: 10 }, 'all of it while nobody else is known')
  const members = ['a', 'b'].map(node => memberOf(node, { roles: ['authority', 'edge'] }))
  const quota = { ...none, viewersMax: 101, bytesPerSecondMax: 4_000 }
  view.placed(new Placement({ members, entries: [entryOf({ node: undefined, quota })] }))
  t.equal(told, 1)
  t.same(quotas.wholeOf('acme'), { documentsMax: 10, viewersMax: 101, bytesPerSecondMax: 4_000 })
  t.same(quotas.quotaOf('acme'), { documentsMax: 5, viewersMax: 51, bytesPerSecondMax: 2_000 })
  const busy = members.map(member => ({ ...member, load: { ...member.load, viewers: 7 } }))
  view.placed(new Placement({ members: busy, entries: [entryOf({ node: undefined, quota })] }))
  t.equal(told, 1, 'what bounds nobody is no news')
  view.placed(new Placement({ members: members.slice(0, 1) }))
  t.same(quotas.quotaOf('acme'), { ...none, documentsMax: 10, viewersMax: 10 })
  t.equal(told, 2)
  t.end()
})

t.test('processes of one node share what viewers may have, rounded up', t => {
  const rules = ['acme documents=10 viewers=10 bytesPerSecond=4KiB']
  const quotas = new TenantQuotas(rules, 4)
  t.same(quotas.quotaOf('acme'), { documentsMax: 10, viewersMax: 3, bytesPerSecondMax: 1_024 })
  t.match(quotas.wholeOf('acme'), { viewersMax: 10 }, 'of all of it')
  const view = new FleetView({ node: 'a', region: 'eu', roles: ['edge'] })
  quotas.follow(view)
  const members = ['a', 'b'].map(node => memberOf(node, { roles: ['edge'] }))
  view.placed(new Placement({ members }))
  t.match(quotas.quotaOf('acme'), { viewersMax: 2 }, 'of the part of the node')
  t.end()
})

t.test('an item that says nothing that can be kept is refused', async t => {
  const good = ['acme viewers=1', '* documents=0 bytesPerSecond=1KiB']
  for (const item of ['acme', 'acme viewers', 'acme viewers=1 documents=2', 'a/b viewers=1']) {
    const [problem] = await problemsOf(load(t, { program: { 'tenants.quotas': [...good, item] } }))
    t.match(problem, { message: /a glob over tenants and its bounds in this order/ }, item)
  }
  const [problem] = await problemsOf(
    load(t, { program: { 'tenants.quotas': ['acme bytesPerSecond=1023'] } }),
  )
  t.match(problem, { place: 'tenants.quotas', message: /at least 1024, got acme/ })
})
