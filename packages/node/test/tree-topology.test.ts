/* What nodes of a tree that is named by hand tell of a document's tree. */
import t, { type Test } from 'tap'
import { startDev } from '../src/dev-tree.ts'
import { type RunningNode, startNode } from '../src/fanfold-node.ts'
import { Crowd, doc, everything, Fleet, silent } from './start-rig.ts'

const fail = (error: unknown): void => {
  throw error
}

type Told = { readonly document: { readonly tree: Tree } }
type Tree = {
  readonly isWhole: boolean
  readonly nodes: number
  readonly path: readonly string[]
  readonly top: { readonly node: string }
}

const treeAt = async (adminPort: number): Promise<Tree> => {
  const url = `http://127.0.0.1:${adminPort}/admin/topology?doc=${encodeURIComponent(doc)}`
  return ((await (await fetch(url)).json()) as Told).document.tree
}

/** Asks until so many nodes have the document. */
async function treeOf(adminPort: number, nodes: number): Promise<Tree> {
  for (;;) {
    const tree = await treeAt(adminPort)
    if (tree.isWhole && tree.nodes === nodes) return tree
    await new Promise(resolve => setImmediate(resolve))
  }
}

async function start(
  t: Test,
  fleet: Fleet,
  name: string,
  values: Parameters<Fleet['config']>[1],
): Promise<RunningNode> {
  const node = await startNode({ config: await fleet.config(name, values), log: silent, fail })
  t.teardown(() => node.stop())
  return node
}

const join = async (t: Test, observe: string, write: string): Promise<void> => {
  const crowd = new Crowd({ observe, write }, await everything())
  t.teardown(() => crowd.leave())
  crowd.join()
}

await t.test(
  'each of several nodes tells the tree, with roles of one process below each other',
  async t => {
    const fleet = new Fleet(t)
    const top = await start(t, fleet, 'top', { roles: ['authority'] })
    const parents = [`ws://127.0.0.1:${top.port}`]
    const low = await start(t, fleet, 'low', { roles: ['proxy', 'edge'], parents })
    await join(t, `ws://127.0.0.1:${low.port}`, `ws://127.0.0.1:${top.port}`)
    for (const { adminPort } of [top, low]) {
      t.match(await treeOf(adminPort, 3), {
        top: {
          node: 'top',
          role: 'authority',
          viewers: 1,
          children: 1,
          below: [
            { node: 'low', role: 'proxy', below: [{ node: 'low', role: 'edge', viewers: 1 }] },
          ],
        },
      })
    }
    t.same((await treeOf(low.adminPort, 3)).path, ['top', 'low'])
    await top.stop()
    const left = await treeAt(low.adminPort)
    t.match(left, { isWhole: false, nodes: 2, top: { node: 'low', role: 'proxy' } })
  },
)

await t.test('to look at a document that nobody has brings it nowhere', async t => {
  const fleet = new Fleet(t)
  const top = await start(t, fleet, 'top', { roles: ['authority'] })
  const parents = [`ws://127.0.0.1:${top.port}`]
  const low = await start(t, fleet, 'low', { roles: ['proxy', 'edge'], parents })
  let tree = await treeAt(low.adminPort)
  while (tree.top.node !== 'top') tree = await treeAt(low.adminPort)
  t.match(tree, { isWhole: false, nodes: 1, path: [], top: { epoch: 0, seq: 0, isLive: false } })
  const url = `http://127.0.0.1:${top.adminPort}/admin/topology`
  t.match(await (await fetch(url)).json(), { authority: { documents: 0 } })
})

await t.test('the tree for development tells its own', async t => {
  const config = await new Fleet(t).config('dev', {})
  const dev = await startDev({ config, regions: 2, edges: 2, log: silent, fail, seed: '1' })
  t.teardown(() => dev.stop())
  for (const url of dev.observeUrls) {
    await join(t, url.replace('/v1/observe', ''), dev.writeUrl.replace('/v1/write', ''))
  }
  const tree = await treeOf(Number(new URL(dev.operatorUrl).port), 7)
  const { node, roles } = (await (await fetch(dev.operatorUrl)).json()) as {
    node: string
    roles: unknown
  }
  t.match({ node, roles }, { node: 'dev', roles: ['authority', 'proxy', 'edge'] })
  t.match(tree, {
    path: ['dev'],
    top: { node: 'dev', viewers: 2, below: [{ below: [{ below: [{ role: 'edge' }] }] }, {}] },
  })
})
