/* Recordings of which each audience is shown what the rules leave of them. */
import type { EdgeDefinition } from 'fanfold'
import t from 'tap'
import { definitionPath } from './definition-path.ts'
import timingClosed from './definitions/timing-closed.ts'
import timingOpen from './definitions/timing-open.ts'
import timingPaged from './definitions/timing-paged.ts'
import { byCommand, bySocket } from './played.ts'
import { type Cohort, checkPrivatePlay, type PrivatePlay } from './private-play.ts'
import { type Recording, realdataSkip, seededRecording, timingRecording } from './recording.ts'
import { poisonProxies, startTree, startTreeEdge, untilReady } from './tree.ts'

t.setTimeout(400_000)
const names = ['timing-open', 'timing-closed', 'timing-paged']
const tree = await startTree(t, names.map(definitionPath))
const { cluster, proxies } = tree
const [, parent] = proxies
if (parent === undefined) throw new Error('the tree has two proxies')
const secondEdge = await startTreeEdge(cluster, 'edge-2', parent)
await untilReady(secondEdge)
await poisonProxies(tree)

const audiences: readonly Cohort[] = [
  { claims: { press: true } },
  { claims: { car: '1' } },
  { claims: { car: '4' } },
  { claims: {} },
]
const pages: readonly Cohort[] = [
  { claims: { press: true }, viewState: { page: 0 } },
  { claims: { car: '1' }, viewState: { page: 0 } },
  { claims: {}, viewState: { page: 1 } },
]

const open = { definition: timingOpen, cohorts: audiences, middleShare: 0.5 }
const closed = { definition: timingClosed, cohorts: audiences, middleShare: 0.3 }
const paged = {
  definition: timingPaged,
  cohorts: pages,
  middleShare: 0.05,
  turnsTo: { page: 2 },
}

type Kind = Pick<PrivatePlay, 'cohorts' | 'turnsTo'> & {
  readonly definition: EdgeDefinition
  readonly middleShare: number
}

function playOf(kind: Kind, recording: Recording): PrivatePlay {
  const { middleShare, ...rest } = kind
  const { length } = recording.lines
  const isReal = recording.files !== undefined
  return {
    ...rest,
    tree,
    secondEdge,
    id: isReal ? 'qualifying' : 'seeded',
    recording,
    player: isReal ? byCommand : bySocket,
    middle: Math.floor(length * middleShare),
  }
}

const seeded = seededRecording('privacy', 3_000)

await t.test('a recording from a seed is shown to each audience as the rules say', async t => {
  await checkPrivatePlay(t, playOf(open, seeded))
})

await t.test('where only what has a rule is shown, too, and numbers tell nothing', async t => {
  await checkPrivatePlay(t, playOf(closed, seeded))
})

await t.test('each viewer of a table is shown the page that it looks at', async t => {
  await checkPrivatePlay(t, playOf(paged, seeded))
})

const qualifying = (): Recording => timingRecording('f1-2024-imola-qualifying')

await t.test('so is a qualifying', { skip: realdataSkip }, async t => {
  await checkPrivatePlay(t, playOf(open, qualifying()))
})

await t.test('and where only what has a rule is shown', { skip: realdataSkip }, async t => {
  await checkPrivatePlay(t, playOf(closed, qualifying()))
})

await t.test('and page by page', { skip: realdataSkip }, async t => {
  await checkPrivatePlay(t, playOf(paged, qualifying()))
})

await t.test('the proxies forwarded all of it without parsing any JSON', async t => {
  for (const proxy of tree.proxies) {
    t.ok(proxy.isRunning, proxy.errors.join('\n'))
    t.same(proxy.errors, [])
  }
})
