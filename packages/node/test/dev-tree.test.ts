import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startDev } from '../src/dev-tree.ts'
import { startNode } from '../src/fanfold-node.ts'
import { generateNodeKey, mintLinkToken } from '../src/link-identity.ts'
import { Crowd, chanceOf, Fleet, leftOpen, openHandles, silent, turns } from './start-rig.ts'

const rounds = 20

t.test('a tree ends at any moment, and leaves nothing open', async t => {
  const fleet = new Fleet(t)
  const failures: unknown[] = []
  const chance = chanceOf('trees that end')
  const before = openHandles()
  for (let round = 0; round < rounds; round++) {
    const running = await startDev({
      config: await fleet.config('dev', {}),
      regions: 1 + chance.below(2),
      edges: 2,
      log: silent,
      fail: error => failures.push(error),
      seed: `${round}`,
    })
    const observe = (running.observeUrls[chance.below(2)] ?? '').replace('/v1/observe', '')
    const write = running.writeUrl.replace('/v1/write', '')
    const crowd = new Crowd({ observe, write }, running.token)
    for (let viewer = chance.below(4); viewer > 0; viewer--) {
      crowd.join()
      await turns(chance.below(40))
    }
    await turns(chance.below(20))
    await Promise.all([running.stop(), running.stop()])
    crowd.leave()
    t.same(await leftOpen(before), [], `round ${round}`)
  }
  t.same(failures, [], 'nothing is in doubt')
})

t.test('a tree whose feed does not load does not start, and leaves nothing open', async t => {
  const fleet = new Fleet(t)
  const failures: unknown[] = []
  const directory = t.testdirName
  const project = { definition: './counter.ts', feed: './feed.ts', document: 'acme/counter/one' }
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ fanfold: project }))
  writeFileSync(join(directory, 'feed.ts'), 'export default 7\n')
  const before = openHandles()
  const config = await fleet.config('dev', { definitions: [directory] })
  const common = {
    regions: 1,
    edges: 1,
    log: silent,
    fail: (error: unknown) => failures.push(error),
    seed: '1',
  }
  await t.rejects(startDev({ config, ...common }), { message: /no default function/ })
  t.same(await leftOpen(before), [])
  t.same(failures, [])
})

t.test('a node of another process joins the tree with a link token of its fleet', async t => {
  const fleet = new Fleet(t)
  const config = await fleet.config('dev', {})
  const options = { config, regions: 1, edges: 1, log: silent, seed: 'join' }
  const fail = (error: unknown): void => {
    t.fail(String(error))
  }
  const tree = await startDev({ ...options, fail })
  t.teardown(() => tree.stop())
  const parent = new URL(tree.writeUrl).origin.replace('http', 'ws')
  const key = generateNodeKey()
  const token = await mintLinkToken({
    fleetPrivateKey: readFileSync(join(config.data, 'fleet', 'fleet.pem'), 'utf8'),
    nodePublicKey: key.publicKey,
    node: 'edge-9',
    region: 'local',
    roles: ['edge'],
    ceiling: 239,
    ttlMs: 60_000,
  })
  const joining = await fleet.config('edge-9', {
    roles: ['edge'],
    parents: [parent],
    'link.token': token,
    'link.privateKey': key.privateKey,
    'link.fleetPublicKeys': [readFileSync(join(config.data, 'fleet', 'fleet.pub'), 'utf8').trim()],
  })
  const edge = await startNode({ config: joining, log: silent, fail })
  t.teardown(() => edge.stop())
  const isReady = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${edge.adminPort}/readyz`)).ok
  while (!(await isReady())) await turns(10)
  t.pass('the edge has its parent')
})
