import t from 'tap'
import { type Config, createConfig } from '../src/config.ts'
import { connectionsMaxOf, workerConfig, workersOf } from '../src/edge-worker-config.ts'
import { load, problemsOf } from './load-config.ts'

const edge = { roles: ['edge'], parents: ['ws://127.0.0.1:9600'] }

t.test('auto is as many as there are processors, and no more than there may be', async t => {
  const auto = createConfig({ ...edge, workers: 'auto' }, t.testdir())
  t.equal(workersOf(auto, 8), 8)
  t.equal(workersOf(auto, 1), 1)
  t.equal(workersOf(auto, 1_000), 256)
  t.equal(workersOf(createConfig({ ...edge, workers: 3 }, t.testdir()), 8), 3)
})

t.test('connections of a node are divided among its workers', async t => {
  const of = (workers: number): Config =>
    createConfig({ ...edge, workers, 'limits.viewersMax': 10 }, t.testdir())
  t.equal(connectionsMaxOf(of(1)), 10)
  t.equal(connectionsMaxOf(of(4)), 3)
})

t.test('a worker is told nothing that lets it in where the node is let in', async t => {
  const secrets = {
    adminToken: 'the admin token of this test, and no other',
    'link.token': 'the link token of this test, and no other',
    'link.privateKey': 'the link key of this test, and no other',
    'redis.password': 'the password of this test, and no other',
    'redis.user': 'the user of this test, and no other',
  }
  const config = createConfig({ ...edge, ...secrets, workers: 2 }, t.testdir())
  const link = { token: 'its own', privateKey: 'its own', fleetPublicKeys: [] }
  const told = workerConfig(config, { parent: 'ws://127.0.0.1:1', link })
  t.same(told.parents, ['ws://127.0.0.1:1'])
  t.same(told.link, link)
  t.notMatch(JSON.stringify(told), 'of this test')
})

t.test('several processes are for a node that is an edge and nothing else', async t => {
  for (const workers of ['auto', '2', '256']) {
    const others = load(t, { flags: { roles: 'proxy,edge', parent: edge.parents, workers } })
    const [problem] = await problemsOf(others)
    t.match(problem, { place: 'workers', message: /give it the role edge alone \(--roles edge/ })
  }
  for (const workers of ['0', '257', 'many']) {
    const wrong = load(t, { flags: { roles: 'edge', parent: edge.parents, workers } })
    const [problem] = await problemsOf(wrong)
    t.match(problem, { place: '--workers', message: /auto, or / }, workers)
  }
})
