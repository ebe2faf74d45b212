/* Edges under trust ceilings: one serves whom it can serve exactly, and refuses the others. */

import { until } from '@fanfold/nemesis'
import t, { type Test } from 'tap'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { definitionPath } from './definition-path.ts'
import { type Held, RawViewer } from './raw-viewer.ts'
import { untilReady } from './tree.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)
const doc = 'a/inside/x'
const set = (open: number, inside: number) => ({ message: 'set', value: { open, inside } })

type Grove = {
  readonly low: ClusterNode
  readonly mid: ClusterNode
  readonly belowLow: ClusterNode
  readonly writer: Writer
  watch(edge: ClusterNode, level: number, held?: Held): Promise<RawViewer>
}

/** An edge under ceiling 0, one under 1, and one of ceiling 239 below a proxy under 0. */
async function grove(t: Test): Promise<Grove> {
  const cluster = await Cluster.open(t)
  const definitions = [definitionPath('inside')]
  const authority = await cluster.start({ name: 'authority', roles: ['authority'], definitions })
  const parents = [authority]
  const [low, mid, proxy] = await Promise.all([
    cluster.start({ name: 'low', roles: ['edge'], parents, ceiling: 0 }),
    cluster.start({ name: 'mid', roles: ['edge'], parents, ceiling: 1 }),
    cluster.start({ name: 'proxy', roles: ['proxy'], parents, ceiling: 0 }),
  ])
  const belowLow = await cluster.start({ name: 'below-low', roles: ['edge'], parents: [proxy] })
  for (const node of [low, mid, proxy, belowLow]) await untilReady(node)
  const writer = await Writer.open({ url: authority.url, token: cluster.token })
  await writer.sendAll(doc, [set(1, 1)])
  return {
    low,
    mid,
    belowLow,
    writer,
    watch: async ({ url }, level, held) => {
      const token = await cluster.viewerToken({ level })
      return await RawViewer.open({ url, token, doc, held })
    },
  }
}

const untilState = (viewer: RawViewer, state: unknown): Promise<void> =>
  until(`a viewer has ${JSON.stringify(state)}`, () => {
    return JSON.stringify(viewer.state) === JSON.stringify(state)
  })

await t.test('an edge under a ceiling refuses whom it could show only half', async t => {
  const { low, mid, belowLow, writer, watch } = await grove(t)
  const refusal = { type: 'refused', doc, code: 'FANFOLD_ABOVE_CEILING' }
  const refused = [await watch(low, 1), await watch(belowLow, 1)]
  for (const viewer of refused) {
    await viewer.untilTold(refusal)
    t.equal(viewer.state, undefined)
  }
  const shown = [await watch(low, 0), await watch(belowLow, 0), await watch(mid, 0)]
  const cleared = await watch(mid, 1)
  for (const viewer of shown) await untilState(viewer, { open: 1 })
  await untilState(cleared, { open: 1, inside: 1 })

  await writer.sendAll(doc, [set(1, 2), set(1, 3), set(2, 4)])
  for (const viewer of shown) {
    await untilState(viewer, { open: 2 })
    const patches = viewer.deltas.map(({ patch }) => patch.toString('utf8'))
    t.equal(patches.length, 1, `what is inside makes no delta for who is outside: ${patches}`)
    t.same(viewer.problems, [])
  }
  await untilState(cleared, { open: 2, inside: 4 })
  t.equal(cleared.deltas.length, 3)
  t.same(cleared.problems, [])
  for (const viewer of refused) t.same(viewer.deltas, [])
})

await t.test('a viewer that changes between ceilings is shown the same as before', async t => {
  const { low, mid, writer, watch } = await grove(t)
  const first = await watch(mid, 0)
  const keeper = await watch(low, 0)
  await untilState(first, { open: 1 })
  await untilState(keeper, { open: 1 })
  first.close()
  await writer.sendAll(doc, [set(1, 2), set(3, 3)])
  await untilState(keeper, { open: 3 })

  const second = await watch(low, 0, first.held)
  await untilState(second, { open: 3 })
  await writer.sendAll(doc, [set(4, 3)])
  await untilState(second, { open: 4 })
  second.close()
  await writer.sendAll(doc, [set(5, 5)])
  await untilState(keeper, { open: 5 })

  const third = await watch(mid, 0, second.held)
  await untilState(third, { open: 5 })
  t.same([...first.problems, ...second.problems, ...third.problems], [])
})

await t.test('who is cleared cannot take its position below the ceiling', async t => {
  const { low, mid, writer, watch } = await grove(t)
  const cleared = await watch(mid, 1)
  await untilState(cleared, { open: 1, inside: 1 })
  await writer.sendAll(doc, [set(2, 2)])
  await untilState(cleared, { open: 2, inside: 2 })
  cleared.close()
  const { held } = cleared
  const elsewhere = await watch(low, 1, held)
  await elsewhere.untilTold({ type: 'refused', doc, code: 'FANFOLD_ABOVE_CEILING' })
  t.same(elsewhere.deltas, [])
  const asAnother = await watch(low, 0, held)
  await until('it has a view', () => asAnother.snapshots.length === 1)
  t.same(asAnother.state, { open: 2 }, 'a position of another view leads to a snapshot')
  t.same(asAnother.deltas, [])
  const back = await watch(mid, 1, held)
  await untilState(back, { open: 2, inside: 2 })
  await writer.sendAll(doc, [set(2, 3)])
  await untilState(back, { open: 2, inside: 3 })
  t.same(back.problems, [])
})
