/* A fleet with tiers, of whose every node it is asked who has a document from whom, before and after some are killed. */
import { RedisServer, until, within } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { runFanfold } from './fanfold-command.ts'
import { Command } from './live-command.ts'
import { RawViewer } from './raw-viewer.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)

const doc = 'a/timing/hot'
const childrenMax = 2

type Role = 'authority' | 'proxy' | 'edge'
type Shown = {
  readonly node: string
  readonly role: Role
  readonly seq: number
  readonly viewers: number
  readonly children: number
  readonly below: readonly Shown[]
}
type Tree = {
  readonly isWhole: boolean
  readonly nodes: number
  readonly path: readonly string[]
  readonly top: Shown
}
type Topology = {
  readonly fleet: { readonly members: readonly unknown[] }
  readonly document: { readonly owner?: string; readonly next?: string; readonly tree: Tree }
}

const topologyOf = async ({ adminUrl }: ClusterNode): Promise<Topology> =>
  (await (await fetch(`${adminUrl}/admin/topology?doc=${doc}`)).json()) as Topology

const redis = await RedisServer.start(t, { isDurable: true })
const cluster = await Cluster.open(t)
const { token } = cluster

const start = (name: string, role: Role): Promise<ClusterNode> =>
  cluster.start({
    name,
    roles: [role],
    options: {
      'redis.url': redis.address,
      ...(role === 'authority' ? { log: redis.address } : {}),
      ...(role === 'proxy' ? { 'limits.treeChildrenMax': String(childrenMax) } : {}),
    },
  })
const all = (role: Role, count: number): Promise<ClusterNode[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => start(`${role}-${index + 1}`, role)))

const authorities = await all('authority', 2)
const proxies = await all('proxy', 4)
const edges = await all('edge', 4)
const nodes = [...authorities, ...proxies, ...edges]
const running = (): ClusterNode[] => nodes.filter(({ isRunning }) => isRunning)
await until('all nodes know each other', async () => {
  const known = await Promise.all(nodes.map(topologyOf))
  return known.every(({ fleet }) => fleet.members.length === nodes.length)
})
const viewers = await Promise.all(edges.map(({ url }) => RawViewer.open({ url, token, doc })))

/** Writes so many changes to the owner, and waits until all viewers have them. */
async function play(count: number): Promise<void> {
  const [node] = running()
  const owner = node && (await topologyOf(node)).document.owner
  const { url = '' } = nodes.find(({ name }) => name === owner) ?? {}
  const writer = await Writer.open({ url, token })
  const messages = Array.from({ length: count }, (_, delta) => ({
    message: 'merge',
    value: { topic: 'n', delta },
  }))
  const seq = await writer.sendAll(doc, messages)
  writer.close()
  for (const viewer of viewers) await viewer.untilSeq(seq, 60_000)
}

/** Each node with the one above it, in the order of their names. */
function linesOf({ top }: Tree): string[] {
  const lines: string[] = []
  const waiting: { readonly shown: Shown; readonly above: string }[] = [{ shown: top, above: '' }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { shown, above } = next
    lines.push(`${shown.node} below ${above}`)
    for (const child of shown.below) waiting.push({ shown: child, above: shown.node })
  }
  return lines.toSorted()
}

/** All nodes of a tree, those above before those below. */
function allOf({ top }: Tree): Shown[] {
  const found = [top]
  for (let at = 0; at < found.length; at++) found.push(...(found[at]?.below ?? []))
  return found
}

/**
 * Waits until every node that runs tells the same whole tree, in which all edges are and nobody has too many
 * children; with what each tells.
 */
async function treeEverywhere(): Promise<ReadonlyMap<string, Tree>> {
  const seen = new Map<string, Tree>()
  await until(
    'all nodes tell the same tree',
    async () => {
      for (const node of running()) seen.set(node.name, (await topologyOf(node)).document.tree)
      const trees = running().flatMap(({ name }) => seen.get(name) ?? [])
      const texts = new Set(trees.map(tree => linesOf(tree).join()))
      const isWhole = trees.every(tree => {
        const names = allOf(tree).map(({ node }) => node)
        const isRoomy = allOf(tree).every(({ children }) => children <= childrenMax)
        return tree.isWhole && isRoomy && edges.every(({ name }) => names.includes(name))
      })
      return isWhole && texts.size === 1
    },
    90_000,
  )
  return seen
}

/** A proxy below another one, with children. */
const tierOf = (tree: Tree): Shown | undefined =>
  allOf(tree)
    .filter(({ role }) => role === 'proxy')
    .flatMap(({ below }) => below)
    .find(({ role, below }) => role === 'proxy' && below.length > 0)

const treeAt = (seen: ReadonlyMap<string, Tree>, node: string): Tree => {
  const tree = seen.get(node)
  if (tree === undefined) throw new Error(`${node} was not asked`)
  return tree
}

await t.test('every node tells the tree with its tiers, and how far each is', async t => {
  await play(20)
  const seen = await treeEverywhere()
  const tree = treeAt(seen, 'edge-1')
  t.ok(tierOf(tree), 'a proxy is below another one')
  t.equal(tree.top.role, 'authority')
  const edgesSeen = allOf(tree).filter(({ role }) => role === 'edge')
  t.same(
    edgesSeen.map(({ viewers }) => viewers),
    [1, 1, 1, 1],
  )
  for (const { seq } of allOf(tree)) t.equal(seq, tree.top.seq)
  t.equal(tree.path[0], tree.top.node)
  t.equal(tree.path.at(-1), 'edge-1')
  const other = authorities.find(({ name }) => name !== tree.top.node)
  t.same(treeAt(seen, other?.name ?? '').path, [], 'who has it not is not in it, and tells of it')
})

await t.test('the command shows it, in text too', async t => {
  const [edge] = edges
  const args = ['tree', doc, '--admin-url', edge?.adminUrl ?? '']
  const atWork =
    /└─ edge-\d +local +edge +seq \d+ +0 behind, \d+ ms +0 streams down +1 viewers +(?:0\.\d|[1-9])/
  let output = ''
  await until('an edge tells how late it is and what it does', async () => {
    // What came by a snapshot does not tell the one, and the other is of the last seconds.
    await play(5)
    const ran = await runFanfold(args, {})
    t.equal(ran.code, 0)
    output = ran.output
    return atWork.test(output)
  })
  t.match(output, /^authority-\d +local +authority +seq \d+ +0 behind/m)
  t.match(output, /^ *[│└├][ │└├─]+ proxy-\d +local +proxy /m)
  t.match(output, /^from the top to here: authority-\d > proxy-\d( > proxy-\d)* > edge-1$/m)
})

const kill = async (killed: string | undefined): Promise<void> => {
  await nodes.find(({ name }) => name === killed)?.kill()
}

const watching = Command.start(t, {
  wrapper: [],
  url: '',
  token,
  args: [
    ...['tree', doc, '--watch', '--every', '100ms', '--json'],
    ...['--admin-url', edges[1]?.adminUrl ?? ''],
  ],
})

/** Waits until who watches is shown a whole tree that fits. */
const untilWatched = async (fits: (tree: Tree) => boolean): Promise<void> => {
  await watching.untilLine(
    line => {
      const { tree } = (line as unknown as Topology).document
      return tree?.isWhole === true && fits(tree)
    },
    { deadlineMs: 90_000 },
  )
}

await t.test('after a tier was killed every node tells the new ones', async t => {
  const before = treeAt(await treeEverywhere(), 'authority-1')
  const killed = tierOf(before)?.node
  await kill(killed)
  await play(50)
  const after = treeAt(await treeEverywhere(), 'authority-1')
  t.notOk(allOf(after).some(({ node }) => node === killed))
  t.equal(after.top.node, before.top.node)
  await untilWatched(tree => !allOf(tree).some(({ node }) => node === killed))
})

await t.test('after the authority was killed another one is on top', async t => {
  const owner = treeAt(await treeEverywhere(), 'edge-1').top.node
  const { next } = (await topologyOf(edges[0] as ClusterNode)).document
  await kill(owner)
  await until('the next one is the owner', async () => {
    const told = await Promise.all(running().map(topologyOf))
    return told.every(({ document }) => document.owner === next)
  })
  await play(50)
  const tree = treeAt(await treeEverywhere(), 'edge-1')
  t.equal(tree.top.node, next)
  await untilWatched(({ top }) => top.node === next)
  for (const viewer of viewers) t.same(viewer.problems, [])
})

await t.test('who watches goes on until a signal', async t => {
  watching.end()
  t.equal(await within('it ends', watching.exited), 0)
})

for (const viewer of viewers) viewer.close()
