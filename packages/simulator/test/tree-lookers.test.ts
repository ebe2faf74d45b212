import { sha256 } from '@fanfold/conformance'
import { milliseconds } from '@fanfold/kernel'
import { parseDocumentKey, type TreeEntry } from '@fanfold/protocol'
import t from 'tap'
import type { RunningNodes } from '../src/node-gauges.ts'
import { Problems } from '../src/problems.ts'
import { simulate } from '../src/simulate.ts'
import { TreeLookers } from '../src/tree-lookers.ts'
import type { TreeNode } from '../src/tree-node.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const doc = parseDocumentKey('acme/board/0')

const standing = {
  epoch: 1,
  seq: 7,
  viewers: 0,
  children: 0,
  notAsked: 0,
  isLive: true,
  recentRecords: 0,
  recentBytes: 0,
}
const top: TreeEntry = { above: undefined, role: 'authority', node: '', region: '', standing }
const entry = (node: string, overrides: Partial<TreeEntry> = {}): TreeEntry => ({
  above: 0,
  role: 'proxy',
  node,
  region: 'here',
  standing,
  ...overrides,
})

/**
 * An authority and a proxy that has a document from it, or by turns from these nodes; what is wrong with what the
 * authority tells of the tree, some time later.
 */
function wrongWith(
  told: (lookers: TreeLookers, look: number) => void,
  { parents = ['authority'], afterMs = 0 } = {},
): readonly string[] {
  const clock = new VirtualClock()
  const problems = new Problems(clock)
  const node = {
    name: 'authority',
    isUp: true,
    incarnation: 1,
    look: ({ look }: { look: number }) => {
      if (afterMs === 0) told(lookers, look)
      else clock.in(milliseconds(afterMs), () => told(lookers, look))
    },
  }
  const proxy = { name: 'proxy-0', isUp: true }
  let looks = 0
  const machine = {
    standingOf: () => ({ isLive: true, parent: parents[looks++ % parents.length] }),
  }
  const nodes = {
    authorities: [{ node }],
    proxies: new Map([[proxy, { machine }]]),
    edges: new Map(),
  } as unknown as RunningNodes
  const lookers = new TreeLookers({
    clock,
    problems,
    nodes: () => nodes,
    linkBytesPerSecond: 1_000_000,
  })
  lookers.audit([[doc, node as unknown as TreeNode]])
  return problems.messages
}

const tells = (...entries: readonly TreeEntry[]): readonly string[] =>
  wrongWith((lookers, look) => lookers.told('authority', { kind: 'tree-told', look, entries }))

await t.test('a tree as the nodes have it is no problem', async t => {
  t.same(tells(top, entry('proxy-0')), [])
})

await t.test('each way in which a tree may differ is one', async t => {
  t.match(tells(top), [/proxy-0 has it and is not there/])
  t.match(tells(), [/authority is on top|undefined is on top/])
  t.match(tells(entry('proxy-0', { above: undefined })), [/proxy-0 is on top, not authority/])
  t.match(tells(top, entry('proxy-0', { standing: undefined })), [/proxy-0 does not answer/])
  t.match(tells(top, entry('edge-9')), [/edge-9 is below authority, and has it from/])
  const cut = { ...top, standing: { ...standing, notAsked: 2 } }
  t.match(tells(cut, entry('proxy-0')), [/2 below authority are not asked/])
})

await t.test('who moves while it is looked, and moves back, may be told from between', async t => {
  const tell = (lookers: TreeLookers, look: number): void =>
    lookers.told('authority', { kind: 'tree-told', look, entries: [top, entry('proxy-0')] })
  const stays = wrongWith(tell, { afterMs: 30, parents: ['edge-9'] })
  t.match(stays, [/proxy-0 is below authority, and has it from edge-9/])
  t.same(wrongWith(tell, { afterMs: 30, parents: ['edge-9', 'authority', 'edge-9'] }), [])
})

await t.test('a look is told once, by who was asked', async t => {
  t.match(
    wrongWith(() => undefined),
    [/authority has never told/],
  )
  const twice = wrongWith((lookers, look) => {
    const told = { kind: 'tree-told', look, entries: [top, entry('proxy-0')] } as const
    lookers.told('authority', told)
    lookers.told('authority', told)
  })
  t.match(twice, [/not asked about, or once more/])
  const another = wrongWith((lookers, look) => {
    lookers.told('proxy-0', { kind: 'tree-told', look, entries: [] })
  })
  t.match(another, [/proxy-0 tells of a tree/, /never told/])
})

await t.test('in a fleet in which nothing goes wrong all looks are told', async t => {
  let told = 0
  const { problems } = simulate({
    seed: 'who looks',
    sha256,
    redial: 'fleet',
    authorities: 2,
    regions: 2,
    proxies: 5,
    edges: 5,
    treeChildrenMax: 2,
    looks: 20,
    busyMs: 8_000,
    convergeMaxMs: 60_000,
    watch: event => {
      if (event.kind === 'effect' && event.effect.kind === 'tree-told') told++
    },
  })
  t.same(problems, [])
  t.equal(told, 20 + 3, 'while it is busy, and of each document at the end')
})
