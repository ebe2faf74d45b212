import t from 'tap'
import { runProgram } from '../../src/run-program.ts'
import { treeText } from '../../src/tree-text.ts'
import { startAdmin } from '../fake-admin.ts'
import { FakeTerminal } from '../fake-terminal.ts'

const load = (documents: number, children: number, viewers: number): object => ({
  load: { documents, children, viewers, bytesPerSecond: 1_000 },
  isDraining: false,
})
const members = [
  { node: 'edge-1', region: 'eu', roles: ['edge'], ...load(1, 0, 40) },
  { node: 'proxy-1', region: 'eu', roles: ['proxy'], ...load(1, 2, 0) },
  { node: 'authority-1', region: 'us', roles: ['authority'], ...load(5, 1, 0), isDraining: true },
]
const topology = {
  node: 'proxy-1',
  fleet: { isFrozen: false, knownForMs: 3, members },
}
const document = {
  doc: 'acme/match/final',
  owner: 'authority-1',
  next: 'authority-2',
  why: 'rendezvous',
  regions: [
    { region: 'eu', proxies: ['proxy-1', 'proxy-2'] },
    { region: 'us', proxies: [] },
  ],
  here: { proxy: { epoch: 2, seq: 41, parent: 'authority-1', isLive: true, children: 2 } },
}

await t.test('a fleet is shown by region, from its authorities down', async t => {
  t.same(treeText(topology).split('\n'), [
    'eu             40 viewers',
    '  proxy-1      proxy       1 documents  2 streams down  0 viewers   1000 bytes/s',
    '  edge-1       edge        1 documents  0 streams down  40 viewers  1000 bytes/s',
    'us             0 viewers',
    '  authority-1  authority   5 documents  1 streams down  0 viewers   1000 bytes/s  going',
  ])
})

await t.test('what is known may be old, and that is said', async t => {
  const frozen = { ...topology, fleet: { ...topology.fleet, isFrozen: true, knownForMs: 61_000 } }
  t.match(treeText(frozen), /^where members meet is not reached: .* last heard 61.0 s ago\n/)
})

await t.test('of a document it is shown whose it is, and how far it is here', async t => {
  const [, text = ''] = treeText({ ...topology, document }).split('\n\n')
  t.same(text.split('\n'), [
    'acme/match/final: authority-1 (rendezvous), then authority-2',
    '  eu: proxy-1, then proxy-2',
    '  us: no proxy',
    '  here, the proxy of proxy-1: seq 41 of epoch 2, from authority-1, 2 streams down',
  ])
  const here = { edge: { epoch: 1, seq: 3, isLive: false, staleForMs: 1_500 } }
  t.match(treeText({ node: 'e', document: { doc: 'a/b/c', here } }), /not live, stale for 1.5 s/)
  const problem = { code: 'FANFOLD_NO_AUTHORITY', message: 'no authority takes a/b/c: start one' }
  t.match(treeText({ document: { doc: 'a/b/c', why: 'nobody', problem } }), /nobody.*\n.*start one/)
})

await t.test('a node that is alone is shown as it is', async t => {
  const alone = { node: 'n', region: 'local', roles: ['authority'], authority: { documents: 3 } }
  t.equal(treeText(alone), 'n  local  authority  3 documents  0 streams down  0 viewers')
})

await t.test('it is asked of the admin port, once, or again and again', async t => {
  const { url, requests } = await startAdmin(t, () => ({
    status: 200,
    body: { ...topology, document },
  }))
  const once = new FakeTerminal()
  t.equal(await runProgram(['tree', 'acme/match/final', '--admin-url', url], once), 0)
  t.same(requests, ['GET /admin/topology?doc=acme%2Fmatch%2Ffinal nobody'])
  t.match(once.stdout, /seq 41 of epoch 2/)
  const watched = new FakeTerminal()
  const { write } = watched.out
  let shown = 0
  watched.out.write = async text => {
    await write(text)
    if (++shown === 3) watched.interruption.abort()
  }
  t.equal(await runProgram(['tree', '--watch', '--json', '--admin-url', url], watched), 0)
  t.equal(watched.stdout.trim().split('\n').length, 3)
})
