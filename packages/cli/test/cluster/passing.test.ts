/* A write is followed by one trace id, from the request of its writer through every tier to the edge. */
import { until } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster } from './cluster.ts'
import { definitionPath } from './definition-path.ts'
import { RawViewer } from './raw-viewer.ts'
import { untilReady } from './tree.ts'

t.setTimeout(400_000)
const doc = 'a/inside/traced'
const trace = '4bf92f3577b34da6a3ce929d0e0e4736'

await t.test('a record is logged with its trace id by each of four tiers', async t => {
  const cluster = await Cluster.open(t)
  const options = { 'logging.tracedOneOf': 1 }
  const start = (
    name: string,
    role: 'authority' | 'proxy' | 'edge',
    parent?: (typeof nodes)[number],
  ) =>
    cluster.start({
      name,
      roles: [role],
      parents: parent === undefined ? [] : [parent],
      definitions: [definitionPath('inside')],
      options,
    })
  const nodes: Awaited<ReturnType<Cluster['start']>>[] = []
  for (const [name, role] of [
    ['top', 'authority'],
    ['regional', 'proxy'],
    ['local', 'proxy'],
    ['last', 'edge'],
  ] as const) {
    nodes.push(await start(name, role, nodes.at(-1)))
  }
  const [top, , , last] = nodes
  if (top === undefined || last === undefined) throw new Error('four nodes were started')
  await untilReady(last)
  const post = async (path: string, body: unknown, headers = {}) => {
    const answer = await fetch(`${top.httpUrl}/v1/documents/${doc}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${cluster.token}`, ...headers },
      body: JSON.stringify(body),
    })
    t.ok(answer.ok, `${path} is answered ${answer.status}`)
  }
  await post('', {})
  const token = await cluster.viewerToken({ level: 0 })
  const viewer = await RawViewer.open({ url: last.url, token, doc })
  await until('the viewer is shown it', () => viewer.state !== undefined)
  const traceparent = `00-${trace}-00f067aa0ba902b7-01`
  await post('/messages/set', { open: 7, inside: 7 }, { traceparent })
  await post('/messages/set', { open: 8, inside: 8 })

  const passed = (node: (typeof nodes)[number]) =>
    node.log.filter(({ event, doc: of }) => event === 'record.passed' && of === doc)
  await until('both have come to the edge', () => passed(last).length >= 2)
  const traces = new Set<unknown>()
  for (const node of nodes) {
    const [traced, other] = passed(node).slice(-2)
    t.match(traced, { trace, role: node === top ? 'authority' : node === last ? 'edge' : 'proxy' })
    t.ok(Number(traced?.['lagMs']) >= -1_000, `${node.name}: ${traced?.['lagMs']} ms`)
    t.equal(traced?.['seq'], Number(other?.['seq']) - 1)
    traces.add(other?.['trace'])
  }
  t.equal(traces.size, 1, 'a write without one has one as well, the same everywhere')
  t.match([...traces][0], /^[0-9a-f]{32}$/)
})
