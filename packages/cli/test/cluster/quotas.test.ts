/* What a tenant may take is said at one node of a fleet, and kept at all of them while they run. */
import { until } from '@fanfold/nemesis'
import t from 'tap'
import { PlacingFleet } from './placing-fleet.ts'
import { RawViewer } from './raw-viewer.ts'

t.setTimeout(400_000)

const fleet = await PlacingFleet.start(t)
const here = 'authority-1'
const there = 'authority-2'
const [first = '', second = '', third = ''] = await fleet.documentsOf(here, 'q', 3)
const [elsewhere = ''] = await fleet.documentsOf(there, 'q', 1)
const [other = ''] = await fleet.documentsOf(here, 'r', 1)
const by = ['--why', 'as agreed', '--who', 'ada'] as const

const send = (doc: string, name: typeof here | typeof there = here) =>
  fleet.send(fleet.node(name), doc, 1)

const watch = (doc: string): Promise<RawViewer> =>
  RawViewer.open({ url: fleet.node('edge-1').url, token: fleet.cluster.token, doc })

const isShown = (viewer: RawViewer) => (): boolean => viewer.snapshots.length > 0

await t.test('a quota is said at an edge, and refuses documents at an authority', async t => {
  t.match(await send(first), { type: 'committed' })
  const said = await fleet.place('q', '--quota-documents', '2', '--quota-viewers', '1', ...by)
  t.equal(said.code, 0, said.errors)
  t.match(said.output, /^q may take 2 documents, 1 viewers: all nodes have heard after \d+ ms/)
  t.match(await send(second), {
    type: 'rejected',
    code: 'FANFOLD_QUOTA_EXCEEDED',
    message: /tenant q has as many documents in use here as its quota allows: 1$/,
  })
  t.match(await send(elsewhere, there), { type: 'committed' }, 'the other one has its part')
  t.match(await send(first), { type: 'committed' }, 'what is there goes on')
  t.match(await send(other), { type: 'committed' }, 'another tenant is not bounded')
  await fleet.node(here).untilLogged('quota.refused')
  t.match(await fleet.told('q', here), {
    version: 1,
    quota: {
      whole: { documentsMax: 2, viewersMax: 1 },
      here: { documentsMax: 1, viewersMax: 1 },
      used: { documents: 1 },
    },
  })
  for (const node of fleet.all) {
    await node.untilLogged('fleet.placed')
    t.match(
      node.log.filter(({ event }) => event === 'fleet.placed'),
      [{ subject: 'q', version: 1, quota: { documentsMax: 2, viewersMax: 1 }, who: 'ada' }],
      node.name,
    )
  }
})

/** Who watches the first document all the time, then one more that is let in. */
const viewers: RawViewer[] = []

await t.test(
  'a viewer too many is refused at the edge, and one of another tenant is not',
  async t => {
    const watching = await watch(first)
    viewers.push(watching)
    await until('the first one is shown something', isShown(watching))
    const late = await watch(first)
    await until('it is refused', () => late.small.length > 0)
    t.match(late.small, [{ type: 'refused', code: 'FANFOLD_QUOTA_EXCEEDED', retryAfter: Number }])
    const free = await watch(other)
    await until('it is shown something', isShown(free))
    await fleet.node('edge-1').untilLogged('quota.refused')
    const { output } = await fleet.place('q')
    t.match(
      output,
      /may take 2 documents, 1 viewers\n +at edge-1 .*; it has 0 documents and 1 viewers/,
    )
    for (const viewer of [late, free]) viewer.close()
  },
)

await t.test('who has seen what was said before is told by whom it was changed', async t => {
  const order = { tenant: 'q', quota: { viewersMax: 7 }, why: 'x', expectedVersion: 0 }
  t.match(await fleet.order(there, order), {
    status: 409,
    body: { code: 'FANFOLD_PLACEMENT_CONFLICT', message: /ada has said what it may take/ },
  })
})

await t.test('more is allowed without a restart, and less sends nobody away', async t => {
  const more = await fleet.place('q', '--quota-documents', '4', '--quota-viewers', 'none', ...by)
  t.equal(more.code, 0, more.errors)
  t.match(await send(second), { type: 'committed' })
  const late = await watch(second)
  await until('the second one is shown something', isShown(late))
  const less = await fleet.place('q', '--quota-documents', '2', '--quota-viewers', '1', ...by)
  t.equal(less.code, 0, less.errors)
  viewers.push(late)
  const seen = viewers.map(({ seq }) => seq)
  for (const doc of [first, second]) t.match(await send(doc), { type: 'committed' })
  await until('both go on', () => viewers.every(({ seq }, index) => seq > (seen[index] ?? 0)))
  t.match(await send(third), { code: 'FANFOLD_QUOTA_EXCEEDED' })
  for (const viewer of viewers) {
    t.equal(viewer.closeCode, undefined)
    t.same([viewer.problems, viewer.small.filter(({ type }) => type === 'refused')], [[], []])
    viewer.close()
  }
})

await t.test('where a tenant is placed is all of its documents', async t => {
  const placed = await fleet.place('q', here, ...by)
  t.equal(placed.code, 0, placed.errors)
  t.match(await fleet.told('q', here), {
    placed: { node: here, quota: { documentsMax: 2 } },
    quota: { here: { documentsMax: 2 } },
  })
  const released = await fleet.place('q', '--release', ...by)
  t.equal(released.code, 0, released.errors)
  t.match(await fleet.told('q', here), { quota: { here: { documentsMax: 1 } } })
})

await t.test('what the configuration says counts where nothing else is said', async t => {
  fleet.reconfigure(
    here,
    'tenants:\n  quotas:\n    - q documents=9 viewers=9\n    - r documents=0\n',
  )
  await fleet.node(here).untilLogged('config.reloaded')
  const [another = ''] = (await fleet.documentsOf(here, 'r', 2)).slice(1)
  t.match(await send(another), { code: 'FANFOLD_QUOTA_EXCEEDED' })
  t.match(await send(third), { code: 'FANFOLD_QUOTA_EXCEEDED' }, 'an order goes before it')
  const none = await fleet.place('q', '--no-quota', ...by)
  t.equal(none.code, 0, none.errors)
  t.match(await send(third), { type: 'committed' })
  fleet.reconfigure(here, '')
  await fleet.node(here).untilLogged('config.reloaded', 2)
  t.match(await send(another), { type: 'committed' })
  t.match((await fleet.told('r', here)) as object, { version: 0 })
})
