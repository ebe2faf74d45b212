import type { TreeEntry, TreeStanding } from '@fanfold/protocol'
import t from 'tap'
import { shownTree } from '../src/shown-tree.ts'

const self = { node: 'proxy-1', region: 'eu' }

const standing = (overrides: Partial<TreeStanding> = {}): TreeStanding => ({
  epoch: 1,
  seq: 41,
  viewers: 3,
  children: 1,
  notAsked: 0,
  isLive: true,
  recentRecords: 25,
  recentBytes: 10_000,
  ...overrides,
})
const entry = (overrides: Partial<TreeEntry>): TreeEntry => ({
  above: undefined,
  role: 'authority',
  node: 'authority-1',
  region: 'us',
  standing: standing(),
  ...overrides,
})
const proxy = (overrides: Partial<TreeEntry> = {}): TreeEntry =>
  entry({ above: 0, role: 'proxy', ...self, ...overrides })
const edge = (overrides: Partial<TreeEntry> = {}): TreeEntry =>
  entry({ above: 1, role: 'edge', node: 'edge-1', region: 'eu', ...overrides })

await t.test('each node is below the one that it has the document from', async t => {
  const tree = shownTree([entry({}), proxy(), edge(), edge({ node: 'edge-2' })], self)
  t.match(tree, {
    isWhole: true,
    nodes: 4,
    silent: [],
    notAsked: 0,
    path: ['authority-1', 'proxy-1'],
    top: {
      node: 'authority-1',
      below: [{ node: 'proxy-1', below: [{ node: 'edge-1', below: [] }, { node: 'edge-2' }] }],
    },
  })
})

await t.test('how far behind a node is, and what comes there in a second', async t => {
  const late = edge({ standing: standing({ seq: 38, lagMs: 12, staleMs: 1_500 }) })
  const ahead = edge({ standing: standing({ seq: 42 }) })
  const vacant = edge({ standing: standing({ epoch: 0, seq: 0 }) })
  const tree = shownTree([entry({}), proxy(), late, ahead, vacant], self)
  t.match(tree?.top, { behind: 0, deltasPerSecond: 2.5, bytesPerSecond: 1_000 })
  const [first, second, third] = tree?.top.below[0]?.below ?? []
  t.match(first, { behind: 3, lagMs: 12, staleForMs: 1_500 })
  t.equal(second?.behind, 0, 'what it took since the authority was asked is not before its time')
  t.equal(third?.behind, undefined, 'who holds nothing is behind nobody')
})

await t.test('a tree that is not whole says what is missing', async t => {
  const silent = shownTree([entry({}), proxy(), edge({ standing: undefined })], self)
  t.match(silent, { isWhole: false, silent: ['edge-1'] })
  t.match(silent?.top.below[0]?.below, [{ isSilent: true, below: [] }])
  const cut = shownTree([entry({}), proxy({ standing: standing({ notAsked: 489 }) })], self)
  t.match(cut, { isWhole: false, notAsked: 489 })
  const headless = shownTree([entry({ role: 'proxy' })], self)
  t.match(headless, { isWhole: false })
  const vacant = shownTree([entry({ standing: standing({ epoch: 0, seq: 0 }) })], self)
  t.match(vacant, { isWhole: false, path: [] }, 'nobody has the document')
  t.equal(shownTree([], self), undefined)
})

await t.test('who is asked has the name of the process, and comes once in the path', async t => {
  const own = { node: 'alone', region: 'eu' }
  const entries = [
    entry({ node: '', region: '' }),
    proxy({ node: 'alone' }),
    edge({ node: 'alone' }),
  ]
  t.match(shownTree(entries, own), {
    top: { node: 'alone', region: 'eu' },
    path: ['alone'],
    nodes: 3,
  })
})

await t.test('a chain as long as there may be is nested', async t => {
  const chain = Array.from({ length: 512 }, (_, at) =>
    entry({ above: at === 0 ? undefined : at - 1, node: `node-${at}` }),
  )
  const tree = shownTree(chain, { node: 'node-511', region: 'eu' })
  t.equal(tree?.path.length, 512)
  t.ok(JSON.stringify({ tree }, undefined, 2).length < 16_777_216)
})
