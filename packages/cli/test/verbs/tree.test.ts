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

const node = (name: string, role: string, seq: number, fields: object = {}): object => ({
  node: name,
  region: role === 'authority' ? 'us' : 'eu',
  role,
  epoch: 2,
  seq,
  behind: 41 - seq,
  isLive: true,
  viewers: 40,
  children: 0,
  notAsked: 0,
  deltasPerSecond: 2.5,
  bytesPerSecond: 1_000.4,
  below: [],
  ...fields,
})
const tree = {
  isWhole: false,
  nodes: 8,
  silent: ['edge-3'],
  notAsked: 489,
  path: ['authority-1', 'proxy-1', 'proxy-2', 'edge-1'],
  top: node('authority-1', 'authority', 41, {
    children: 2,
    below: [
      node('proxy-1', 'proxy', 41, {
        lagMs: 3,
        children: 2,
        below: [
          node('proxy-2', 'proxy', 40, {
            lagMs: 9,
            children: 2,
            below: [
              node('edge-1', 'edge', 38, { lagMs: 12 }),
              node('edge-2', 'edge', 30, { viewers: 0, isLive: false, staleForMs: 1_500 }),
            ],
          }),
          { node: 'edge-3', region: 'eu', role: 'edge', isSilent: true, below: [] },
        ],
      }),
      node('proxy-3', 'proxy', 41, {
        children: 490,
        notAsked: 489,
        below: [node('edge-4', 'edge', 41)],
      }),
    ],
  }),
}

await t.test('the tree of a document is drawn from its authority down', async t => {
  const [, , text = ''] = treeText({ ...topology, document: { ...document, tree } }).split('\n\n')
  t.same(text.split('\n'), [
    'authority-1                us  authority  seq 41           0 behind         2 streams down    40 viewers  2.5 deltas/s  1000 bytes/s',
    '├─ proxy-1                 eu  proxy      seq 41           0 behind, 3 ms   2 streams down    40 viewers  2.5 deltas/s  1000 bytes/s',
    '│  ├─ proxy-2              eu  proxy      seq 40           1 behind, 9 ms   2 streams down    40 viewers  2.5 deltas/s  1000 bytes/s',
    '│  │  ├─ edge-1            eu  edge       seq 38           3 behind, 12 ms  0 streams down    40 viewers  2.5 deltas/s  1000 bytes/s',
    '│  │  └─ edge-2            eu  edge       seq 30           11 behind        0 streams down    0 viewers   2.5 deltas/s  1000 bytes/s  not live, stale for 1.5 s',
    '│  └─ edge-3               eu  edge       does not answer',
    '└─ proxy-3                 eu  proxy      seq 41           0 behind         490 streams down  40 viewers  2.5 deltas/s  1000 bytes/s',
    '   ├─ edge-4               eu  edge       seq 41           0 behind         0 streams down    40 viewers  2.5 deltas/s  1000 bytes/s',
    '   └─ 489 more, not asked',
    '1 do not answer: edge-3',
    '489 were not asked',
    'from the top to here: authority-1 > proxy-1 > proxy-2 > edge-1',
  ])
})

await t.test('a tree without its authority says so, and so does one that is not there', async t => {
  const noteOf = (top: object): string =>
    treeText({ document: { doc: 'a/b/c', tree: { top } } })
      .split('\n')
      .at(-1) ?? ''
  t.equal(
    noteOf(node('proxy-1', 'proxy', 41)),
    'no authority was reached: this is what is below proxy-1',
  )
  t.equal(
    noteOf(node('authority-1', 'authority', 0)),
    'authority-1 does not have the document in memory',
  )
  const refused = node('authority-1', 'authority', 3, { problem: 'FANFOLD_LOG_UNREACHABLE' })
  t.match(treeText({ document: { doc: 'a/b/c', tree: { top: refused } } }), /LOG_UNREACHABLE$/)
  t.match(treeText({ document: { doc: 'a/b/c' } }), /cannot be told now$/)
})

await t.test('of a document it is shown whose it is, and how far it is here', async t => {
  const [, text = ''] = treeText({ ...topology, document }).split('\n\n')
  t.same(text.split('\n'), [
    'acme/match/final: authority-1 (rendezvous), then authority-2',
    '  eu: proxy-1, then proxy-2',
    '  us: no proxy',
    '  here, the proxy of proxy-1: seq 41 of epoch 2, from authority-1, 2 streams down',
  ])
  const [, hot = ''] = treeText({ ...topology, document: { ...document, isNextHot: true } }).split(
    '\n\n',
  )
  t.match(hot, 'acme/match/final: authority-1 (rendezvous), then authority-2, which stands by\n')
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
  untilShown(watched, 3)
  t.equal(await runProgram(['tree', '--watch', '--json', '--admin-url', url], watched), 0)
  t.equal(watched.stdout.trim().split('\n').length, 3)
})

/** The verb is interrupted when it has shown something so often. */
function untilShown(terminal: FakeTerminal, times: number): void {
  const { write } = terminal.out
  let shown = 0
  terminal.out.write = async text => {
    await write(text)
    if (++shown === times) terminal.interruption.abort()
  }
}

await t.test('who is watched, and away for a while, is watched on', async t => {
  let asked = 0
  const { url } = await startAdmin(t, () =>
    ++asked === 2 ? undefined : { status: 200, body: topology },
  )
  const terminal = new FakeTerminal()
  untilShown(terminal, 3)
  t.equal(await runProgram(['tree', '--watch', '--json', '--admin-url', url], terminal), 0)
  t.equal(asked, 4)
  t.match(terminal.stderr, /cannot reach/)
  const never = new FakeTerminal()
  const nobody = await startAdmin(t, () => undefined)
  t.equal(await runProgram(['tree', '--watch', '--admin-url', nobody.url], never), 3)
})

await t.test('a signal ends the watching amid a question too', async t => {
  const terminal = new FakeTerminal()
  const { url } = await startAdmin(t, () => {
    terminal.interruption.abort()
    return { status: 200, body: topology }
  })
  t.equal(await runProgram(['tree', '--watch', '--admin-url', url], terminal), 0)
})
