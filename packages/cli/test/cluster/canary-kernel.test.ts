/*
 * What may not be seen does not leave, as the kernel sees it: each node has a network of its own, and
 * packets with a marker in them are counted where they leave.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fillings, places } from './canary-places.ts'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { definitionPath } from './definition-path.ts'
import { Command, type Line } from './live-command.ts'
import { NetworkNamespaces, namespacesSkip } from './network-namespaces.ts'

t.setTimeout(400_000)
const doc = 'a/canary/x'
const authorityNet = 1
const lowNet = 2
const viewerNet = 3
const highNet = 4

/** What the edge may not send to a public viewer. */
const hidden: readonly string[] = Object.values(places)
  .filter(({ label, viewers }) => label === 0 && !viewers.some(name => name === 'public'))
  .map(({ marker }) => marker)

/** What the link may not carry. */
const above: readonly string[] = [
  places.mixedInnerLater,
  places.mixedDeeperLater,
  places.labelOneName,
  places.labelOneValue,
  places.labelOneRule,
  places.labelTwoName,
  places.labelTwoValue,
  places.labelTwoRule,
].map(({ marker }) => marker)

const shown = places.openValue.marker

await t.test(
  'the kernel counts no packet with what may not be seen',
  { skip: namespacesSkip },
  async t => {
    const nets = NetworkNamespaces.open(t, 4)
    const cluster = await Cluster.open(t)
    const node = async (settings: {
      name: string
      role: 'authority' | 'edge'
      net: number
      ceiling: number
      parent?: ClusterNode
    }): Promise<ClusterNode> => {
      const { name, role, net, ceiling, parent } = settings
      return await cluster.start({
        name,
        roles: [role],
        ceiling,
        parents: parent === undefined ? [] : [{ url: nets.url(authorityNet, parent) }],
        definitions: [definitionPath('canary')],
        options: { host: '0.0.0.0' },
        wrapper: nets.wrapper(net),
      })
    }
    const authority = await node({
      name: 'authority',
      role: 'authority',
      net: authorityNet,
      ceiling: 239,
    })
    const parent = authority
    const low = await node({ name: 'low', role: 'edge', net: lowNet, ceiling: 0, parent })
    await low.untilLogged('link.parent-connected')
    const writeUrl = `ws://127.0.0.1:${authority.port}`
    const run = (net: number, url: string, token: string, args: readonly string[]): Command =>
      Command.start(t, { wrapper: nets.wrapper(net), url, token, args })
    const write = async (lines: readonly object[], name: string): Promise<void> => {
      const file = join(cluster.directory, name)
      writeFileSync(
        file,
        lines.map((line, ms) => `${JSON.stringify({ seq: ms + 1, ms, ...line })}\n`).join(''),
      )
      const args = ['feed', file, '--doc', doc, '--message', 'put', '--speed', 'max', '--json']
      const feed = run(authorityNet, writeUrl, cluster.token, args)
      await feed.untilLine(line => line['sent'] === lines.length)
    }
    const watch = async (
      net: number,
      edge: ClusterNode,
      claims: Readonly<Record<string, unknown>>,
    ): Promise<Command> => {
      const token = await cluster.viewerToken(claims)
      const url = nets.url(net, edge)
      const viewer = run(viewerNet, url, token, ['tail', doc, '--json'])
      await viewer.untilLine(line => line['kind'] === 'snapshot')
      return viewer
    }
    const shows = (marker: string) => (line: Line) => JSON.stringify(line).includes(marker)

    await write([{ path: ['open', 'n'], value: 0 }], 'first.ndjson')
    const publicViewer = await watch(lowNet, low, {})
    for (const marker of hidden) nets.watchFor(lowNet, marker)
    for (const marker of above) nets.watchFor(authorityNet, marker)
    for (const net of [authorityNet, lowNet]) nets.watchFor(net, shown)
    const puts = fillings.flatMap(({ message, value }) =>
      message === 'put' ? [Object(value)] : [],
    )
    await write([...puts, { path: ['open', 'End'], value: places.end.marker }], 'canary.ndjson')
    await publicViewer.untilLine(shows(places.end.marker))
    await watch(lowNet, low, {})

    const counts = (net: number, markers: readonly string[]): number[] =>
      markers.map(marker => nets.countOf(net, marker))
    const zeros = (markers: readonly string[]): number[] => markers.map(() => 0)
    t.same(counts(lowNet, hidden), zeros(hidden), 'no hidden byte left the edge')
    t.same(counts(authorityNet, above), zeros(above), 'none above the ceiling crossed the link')
    t.ok(nets.countOf(lowNet, shown) > 0, 'what is shown did leave the edge')
    t.ok(nets.countOf(authorityNet, shown) > 0, 'and crossed the link')

    await watch(lowNet, low, { plan: 'premium' })
    t.ok(
      nets.countOf(lowNet, places.secretValue.marker) > 0,
      'what is hidden is counted when shown',
    )
    const high = await node({ name: 'high', role: 'edge', net: highNet, ceiling: 239, parent })
    await high.untilLogged('link.parent-connected')
    const cleared = await watch(highNet, high, { level: 2 })
    // What a snapshot brings is packed, and not to be counted: all of it once more, in records.
    const away = ['mixed', 'Label-1-name-009', 'Label-2-name-011'].map(name => {
      return { path: [name], value: {} }
    })
    await write([...away, ...puts, { path: ['open', 'End'], value: 'again' }], 'again.ndjson')
    await cleared.untilLine(shows('again'))
    t.ok(
      counts(authorityNet, above).every(count => count > 0),
      'and what is above the ceiling on a link that lets it through',
    )
  },
)
