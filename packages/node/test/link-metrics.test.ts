import t from 'tap'
import type { DialledNode } from '../src/follower-links.ts'
import { setLinkGauges } from '../src/link-metrics.ts'
import { labelValuesMax, Metrics } from '../src/metrics.ts'
import type { ProcessRoles } from '../src/process-roles.ts'

const made = (): Metrics => new Metrics({ version: '0', region: 'eu', isProcessCollected: false })

/** The roles of a process, of which only what they dial is asked. */
const dialling = (of: {
  readonly authority?: readonly DialledNode[]
  readonly proxy?: readonly DialledNode[]
  readonly edge?: readonly DialledNode[]
}): ProcessRoles => {
  const host = (dialled: readonly DialledNode[] | undefined) => (dialled ? [{ dialled }] : [])
  const [authority] = host(of.authority)
  return { authority, proxies: host(of.proxy), edges: host(of.edge) } as unknown as ProcessRoles
}

/** The values of a gauge by its label. */
async function shown(metrics: Metrics, name: string): Promise<Record<string, string>> {
  const text = await metrics.render()
  const lines = text.matchAll(new RegExp(`^fanfold_${name}\\{node="([^"]+)".*\\} (\\d+)$`, 'gm'))
  return Object.fromEntries([...lines].map(([, node, value]) => [node, value]))
}

t.test('of each node that is dialled it is told whether it is there, and worth a try', async t => {
  const metrics = made()
  setLinkGauges(
    metrics,
    dialling({
      authority: [{ node: 'a2', isOpen: true, breaker: 'closed' }],
      proxy: [
        { node: 'a2', isOpen: false, breaker: 'half-open' },
        { node: 'p2', isOpen: false, breaker: 'open' },
      ],
      edge: [{ node: 'ws://parent:9600', isOpen: false }],
    }),
  )
  t.same(await shown(metrics, 'node_up'), { a2: '1', p2: '0', 'ws://parent:9600': '0' })
  t.same(await shown(metrics, 'link_breaker_state'), { a2: '1', p2: '2' })
})

t.test('nothing is told of who is not dialled any more', async t => {
  const metrics = made()
  setLinkGauges(metrics, dialling({ proxy: [{ node: 'a', isOpen: true, breaker: 'closed' }] }))
  setLinkGauges(metrics, dialling({ proxy: [{ node: 'b', isOpen: true, breaker: 'closed' }] }))
  t.same(await shown(metrics, 'node_up'), { b: '1' })
  setLinkGauges(metrics, dialling({}))
  t.same(await shown(metrics, 'node_up'), {})
  t.same(await shown(metrics, 'link_breaker_state'), {})
})

t.test('there are no more series than labels may have values', async t => {
  const metrics = made()
  const edge = Array.from({ length: labelValuesMax + 1 }, (_, index) => ({
    node: `n${index}`,
    isOpen: true,
  }))
  setLinkGauges(metrics, dialling({ edge }))
  t.equal(Object.keys(await shown(metrics, 'node_up')).length, labelValuesMax)
})
