import t from 'tap'
import type { PlacementChange, PlacementOutcome, QuotaChange } from '../src/placement-desk.ts'
import { until } from './hostile-rig.ts'
import { openSpace, PlacingNode } from './placing-rig.ts'

type NodeChange = Extract<PlacementChange, { kind: 'node' }>

const change = (overrides: Partial<NodeChange> = {}): NodeChange => ({
  kind: 'node',
  subject: 'acme',
  node: 'a',
  who: 'ada',
  why: 'closer to the writers',
  expected: undefined,
  ...overrides,
})

const bounded = (quota: QuotaChange, overrides: Partial<PlacementChange> = {}) =>
  ({ ...change(), ...overrides, kind: 'quota', quota }) as PlacementChange

const entryOf = (outcome: PlacementOutcome) => (outcome.kind === 'placed' ? outcome.entry : outcome)

await t.test('a placement is asked for, kept, and told by all nodes', async t => {
  const nodes = await PlacingNode.startAll(t, openSpace(), { a: {}, b: {} })
  const [a, b] = nodes as [PlacingNode, PlacingNode]
  const outcome = await b.desk.ask(change())
  t.match(outcome, {
    kind: 'placed',
    isChanged: true,
    entry: { subject: 'acme', version: 1, epoch: 1, node: 'a', state: 'active', who: 'ada' },
  })
  const told = { subject: 'acme', to: 'a', version: 1, epoch: 1, who: 'ada', why: /closer/ }
  await until(() => nodes.every(node => node.logged('fleet.placed').length === 1), 'all tell it')
  for (const node of nodes) t.match(node.logged('fleet.placed'), [told])
  const asked = { subject: 'acme', to: 'a', from: undefined, version: 0, who: 'ada', why: /closer/ }
  t.match(b.logged('fleet.place-asked'), [asked], 'at the one that was asked')
  t.same(a.logged('fleet.place-asked'), [])
  t.match(await b.metrics.render(), /fanfold_placements\{.*\} 1\n/)
})

await t.test('who places on what has changed meanwhile is told by whom', async t => {
  const [a, b] = (await PlacingNode.startAll(t, openSpace(), { a: {}, b: {} })) as [
    PlacingNode,
    PlacingNode,
  ]
  const [first, second] = await Promise.all([
    a.desk.ask(change({ who: 'ada', node: 'a', expected: 0 })),
    b.desk.ask(change({ who: 'bob', node: 'b', expected: 0 })),
  ])
  t.match(first, { kind: 'placed', entry: { node: 'a', version: 1 } })
  t.match(second, {
    kind: 'refused',
    code: 'FANFOLD_PLACEMENT_CONFLICT',
    message:
      'acme is at version 1, not 0: ada has placed it on a (closer to the writers); look at it, and decide anew',
  })
  t.match(b.logged('fleet.place-refused'), [
    { subject: 'acme', to: 'b', who: 'bob', code: 'FANFOLD_PLACEMENT_CONFLICT', reason: /ada/ },
  ])
  const third = await b.desk.ask(change({ who: 'bob', node: 'b', expected: 1 }))
  t.match(third, { kind: 'placed', entry: { node: 'b', version: 2, epoch: 2 } })
  await b.desk.ask(change({ node: undefined, who: 'eve' }))
  const late = await b.desk.ask(change({ expected: 2 }))
  t.match(late, { kind: 'refused', message: /at version 3, not 2: eve has released it/ })
})

await t.test(
  'a release says nothing any more of the node, and keeps what else is said',
  async t => {
    const [a] = (await PlacingNode.startAll(t, openSpace(), { a: {} })) as [PlacingNode]
    const quota = { documentsMax: 7, viewersMax: undefined, bytesPerSecondMax: undefined }
    await a.desk.ask(bounded({ documentsMax: 7 }))
    await until(() => a.machine.placement?.quotaOf('acme') !== undefined, 'the quota is known')
    t.match(entryOf(await a.desk.ask(change())), { version: 2, node: 'a', quota })
    const released = await a.desk.ask(change({ node: undefined }))
    t.match(released, { isChanged: true, entry: { version: 3, node: undefined, quota } })
    const again = await a.desk.ask(change({ node: undefined, expected: 3 }))
    t.match(again, { kind: 'placed', isChanged: false, entry: { version: 3 } })
    t.match(await a.desk.ask(change({ node: undefined, expected: 2 })), {
      code: 'FANFOLD_PLACEMENT_CONFLICT',
    })
    const never = await a.desk.ask(change({ subject: 'other', node: undefined }))
    t.same(
      never,
      { kind: 'placed', isChanged: false, entry: undefined },
      'and leaves nothing behind',
    )
  },
)

await t.test('what a tenant may take is said bound by bound, and moves nothing', async t => {
  const [a, b] = (await PlacingNode.startAll(t, openSpace(), { a: {}, b: {} })) as [
    PlacingNode,
    PlacingNode,
  ]
  await a.desk.ask(change())
  t.match(await a.desk.ask(bounded({ viewersMax: 100, documentsMax: 5 })), {
    isChanged: true,
    entry: { version: 2, epoch: 1, node: 'a', quota: { viewersMax: 100, documentsMax: 5 } },
  })
  t.match(a.logged('fleet.place-asked').at(-1), { quota: { viewersMax: 100 }, who: 'ada' })
  t.match(await a.desk.ask(bounded({ viewersMax: 'none', bytesPerSecondMax: 4_096 })), {
    entry: {
      version: 3,
      quota: { documentsMax: 5, viewersMax: undefined, bytesPerSecondMax: 4_096 },
    },
  })
  t.match(await a.desk.ask(bounded({ documentsMax: 5 })), {
    isChanged: false,
    entry: { version: 3 },
  })
  await until(() => b.machine.placement?.entry('acme')?.version === 3, 'the other one knows it')
  t.match(b.logged('fleet.placed').at(-1), { quota: { documentsMax: 5 }, version: 3 })
  t.match(await b.desk.ask(bounded({ documentsMax: 6 }, { expected: 2 })), {
    code: 'FANFOLD_PLACEMENT_CONFLICT',
  })
  const none = { documentsMax: 'none', bytesPerSecondMax: 'none' } as const
  t.match(await b.desk.ask(bounded(none)), { entry: { version: 4, node: 'a', quota: undefined } })
  t.match(await b.desk.ask(bounded(none)), { isChanged: false })
  t.match(await b.desk.ask(bounded(none, { subject: 'other' })), {
    isChanged: false,
    entry: undefined,
  })
})

await t.test('a tenant is bounded also while the node that it is placed on is away', async t => {
  const [a, b] = (await PlacingNode.startAll(t, openSpace(), { a: {}, b: {} })) as [
    PlacingNode,
    PlacingNode,
  ]
  await a.desk.ask(change({ node: 'b' }))
  b.give({ kind: 'leave' })
  await until(() => a.machine.placement?.member('b') === undefined, 'it is gone')
  t.match(await a.desk.ask(bounded({ viewersMax: 1 })), { entry: { node: 'b', version: 2 } })
})

await t.test('what cannot be placed is refused with what to do', async t => {
  const space = openSpace()
  const [a] = (await PlacingNode.startAll(t, space, { a: {}, e: { roles: ['edge'] } })) as [
    PlacingNode,
  ]
  t.match(await a.desk.ask(change({ node: 'e' })), {
    code: 'FANFOLD_PLACED_NODE',
    message: 'acme cannot be placed there: e is no authority but edge; these take it: a',
  })
  t.match(await a.desk.ask(change({ who: 'two\nlines' })), { code: 'FANFOLD_INVALID_VALUE' })
  space.setUnreachable('pulled out')
  await until(() => a.machine.isFrozen, 'it is lost')
  t.match(await a.desk.ask(change()), {
    code: 'FANFOLD_COORDINATOR_UNREACHABLE',
    message: /nothing is changed, all that is placed holds; ask again when it can/,
  })
  t.same([...(a.machine.placement?.entries ?? [])], [])
})

await t.test('more than fits is refused, with what takes less', async t => {
  const [a] = (await PlacingNode.startAll(t, openSpace({ placementsMax: 1 }), { a: {} })) as [
    PlacingNode,
  ]
  await a.desk.ask(change())
  t.match(await a.desk.ask(change({ subject: 'other' })), {
    code: 'FANFOLD_PLACEMENTS_FULL',
    message:
      '1 subjects are placed, and no more may be: place a tenant instead of each of its documents; what was released counts too',
  })
})

await t.test('a node that goes answers all who wait', async t => {
  const [a] = (await PlacingNode.startAll(t, openSpace(), { a: {} })) as [PlacingNode]
  const asked = a.desk.ask(change())
  a.desk.close()
  t.match(await asked, { kind: 'refused', code: 'FANFOLD_DRAINING' })
  t.match(await a.desk.ask(change()), { kind: 'refused', code: 'FANFOLD_DRAINING' })
})
