import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { connect, type Observation } from '@fanfold/client'
import { until } from '@fanfold/nemesis'
import t from 'tap'
import { WebSocket } from 'ws'
import { runFanfold } from '../cluster/fanfold-command.ts'
import { ComposeTree, untilReady } from './compose-tree.ts'

// Some thirty starts of Node.
t.setTimeout(600_000)

const document = 'demo/grand-prix/corvane'
const edges = ['edge-eu-1', 'edge-us-1', 'edge-ap-1']

type Shown = { readonly node: string; readonly below: readonly Shown[] }
type Topology = {
  readonly fleet: { readonly members: readonly unknown[] }
  readonly document: {
    readonly owner: string
    readonly tree: { readonly isWhole: boolean; readonly top: Shown }
  }
}

await t.test('the compose file, run as processes, is a fleet of three regions', async t => {
  const tree = new ComposeTree(t)
  const [redis] = await Promise.all([tree.startRedis(), tree.mintKeys()])

  const { arguments: args, environment } = tree.commandOf('authority-1')
  const flags = args.filter(text => /^--(config|roles|port|admin-port)=/.test(text))
  const doctor = await runFanfold(['doctor', '--json', ...flags], environment)
  const rows = JSON.parse(doctor.output) as { check: string; ok: boolean }[]
  for (const check of ['redis', 'members meet']) {
    t.match(
      rows.find(row => row.check === check),
      { ok: true },
      `${check}: ${doctor.output}`,
    )
  }

  await tree.startNodes()
  await Promise.all(tree.nodeNames.map(name => untilReady(tree.node(name))))
  const ask = async (name: string): Promise<Topology> => {
    const url = `${tree.node(name).adminUrl}/admin/topology?doc=${document}`
    return (await (await fetch(url)).json()) as Topology
  }
  await until('all nodes know each other', async () => {
    const known = await Promise.all(tree.nodeNames.map(ask))
    return known.every(({ fleet }) => fleet.members.length === tree.nodeNames.length)
  })

  const feed = tree.startProgram('feed')
  const index = tree.write('page/index.html', '<title>race</title>')
  const page = tree.startProgram('page', [
    '--host=127.0.0.1',
    '--port=0',
    `--page=${dirname(index)}`,
  ])
  await until('the page is served', () => page.lines.length > 0)
  const url = /http:\S+/.exec(page.lines.join(' '))?.[0] ?? ''
  t.equal(await (await fetch(url)).text(), readFileSync(index, 'utf8'))
  t.equal((await fetch(`${url}fanfold.yaml`)).status, 404)
  const said: unknown = await (await fetch(`${url}config.json`)).json()
  t.match(said, { observe: 'ws://127.0.0.1:9611', document, token: String })
  const { token } = Object.fromEntries(Object.entries(said ?? {}))

  // A document that does not exist yet is refused.
  await until('the race has begun', () => feed.lines.some(line => line.includes('playing')))
  const views: Observation[] = edges.map(name => {
    const live = connect(tree.node(name).url, { token: String(token), WebSocket })
    t.teardown(() => live.close())
    return live.observe(document)
  })
  await until('all edges show the grid', () => views.every(({ seq }) => seq >= 20))
  for (const { view, status } of views) {
    t.equal(status, 'live')
    t.match(view, { session: { race: 1 } })
  }

  const regionsOf = ({ document }: Topology): string[] =>
    document.tree.top.below.map(({ node, below }) => `${node} ${below[0]?.node}`).toSorted()
  const shown = await ask('edge-us-1')
  t.equal(shown.document.tree.top.node, shown.document.owner)
  t.match(
    regionsOf(shown),
    [/^proxy-ap-\d edge-ap-1$/, /^proxy-eu-\d edge-eu-1$/, /^proxy-us-\d edge-us-1$/],
    'each region has the document once',
  )

  const { owner } = shown.document
  await tree.node(owner).kill()
  const epochs = views.map(({ epoch }) => epoch)
  await until(
    'the other authority goes on with the race in all regions',
    () => views.every(({ epoch, status }, at) => epoch > (epochs[at] ?? 0) && status === 'live'),
    60_000,
  )
  t.equal((await redis.client.keys('fanfold:*')).length > 0, true, 'what there is is in the Redis')

  const names = tree.nodeNames.filter(name => name !== owner)
  const exits = await Promise.all(names.map(name => tree.node(name).stop()))
  for (const [index, exit] of exits.entries()) t.equal(exit.code, 0, `${names[index]}`)
})
