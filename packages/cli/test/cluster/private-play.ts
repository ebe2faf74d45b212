/*
 * A recording that is played into a document of which not everything is shown to everybody, and
 * viewers of several audiences who watch it: each must end with what the rules, asked about every
 * value of the last state, leave of it.
 */

import { until } from '@fanfold/nemesis'
import { naiveView } from '@fanfold/privacy'
import type { EdgeDefinition, JsonObject, JsonValue } from 'fanfold'
import type { Test } from 'tap'
import type { ClusterNode } from './cluster-node.ts'
import type { Player } from './played.ts'
import { type Held, RawViewer } from './raw-viewer.ts'
import { canonicalHash, finalStateByRule, type Recording } from './recording.ts'
import type { Tree } from './tree.ts'
import { Writer } from './writer.ts'

/** Viewers who are shown the same. */
export type Cohort = {
  readonly claims: Readonly<Record<string, unknown>>
  readonly viewState?: JsonValue | undefined
}

/** What is played, and who watches. */
export type PrivatePlay = {
  readonly tree: Tree
  /** Another edge below the same proxy. */
  readonly secondEdge: ClusterNode
  readonly definition: EdgeDefinition
  readonly id: string
  readonly recording: Recording
  readonly player: Player
  /** The first of them sees most, so that its deltas tell how far the play is. */
  readonly cohorts: readonly Cohort[]
  /** So many deltas of the first cohort are the middle of the play. */
  readonly middle: number
  /** What a viewer of the first cohort looks at from the middle on. */
  readonly turnsTo?: JsonValue | undefined
}

type Watching = {
  readonly viewer: RawViewer
  readonly cohort: Cohort
  readonly name: string
  readonly isResumed: boolean
}

type Join = (
  cohort: Cohort,
  name: string,
  options?: { readonly edge?: ClusterNode; readonly held?: Held | undefined },
) => Promise<Watching>

/** The topic that ends a play, which all may see. */
const end = 'End'

/** Plays it, with viewers that join before, in the middle and after it, turn, and change edges. */
export async function checkPrivatePlay(t: Test, play: PrivatePlay): Promise<void> {
  const { tree, secondEdge, definition, recording, cohorts, middle, turnsTo } = play
  const doc = `a/${definition.type}/${play.id}`
  const watching: Watching[] = []
  const join: Join = async (cohort, name, options = {}) => {
    const { edge = tree.edge, held } = options
    const token = await tree.cluster.viewerToken(cohort.claims)
    const { viewState } = cohort
    const viewer = await RawViewer.open({ url: edge.url, token, doc, held, viewState })
    const isResumed = held !== undefined
    const one = { viewer, cohort, name: `${name}, ${JSON.stringify(cohort)}`, isResumed }
    watching.push(one)
    return one
  }
  const [first = { claims: {} }] = cohorts
  const last = cohorts.at(-1) ?? first

  await create(tree, doc)
  const edges = [tree.edge, secondEdge]
  const conflatedBefore = await conflations(edges)
  for (const cohort of cohorts) await join(cohort, 'before')
  await join(last, 'before, second edge', { edge: secondEdge })
  const [leader] = watching
  if (leader === undefined) throw new Error('somebody watches')
  const turning = turnsTo === undefined ? undefined : await join(first, 'turns')
  const leaving = await join(last, 'leaves')
  for (const { viewer } of watching) await viewer.untilSeq(1)
  watching.pop()

  const playing = play.player(tree, doc, recording)
  let isPlayed = false
  // What goes wrong while viewers join is told when they have.
  playing.then(
    () => {
      isPlayed = true
    },
    () => undefined,
  )
  // Viewers for which this process has no time lag, and get many changes in one.
  const isMiddle = (): boolean => isPlayed || leader.viewer.deltas.length >= middle
  await until(`half of ${doc} is played`, isMiddle, 40_000)
  for (const cohort of cohorts) await join(cohort, 'middle')
  if (turning !== undefined && turnsTo !== undefined) {
    turning.viewer.look(turnsTo)
    watching.splice(watching.indexOf(turning), 1, {
      ...turning,
      cohort: { ...turning.cohort, viewState: turnsTo },
    })
  }
  leaving.viewer.close()
  const { held } = leaving.viewer
  if (held === undefined) throw new Error('who leaves was told a position')
  await join(last, 'resumes', { edge: secondEdge, held })

  await playing
  await endPlay(tree, doc)
  for (const cohort of cohorts) await join(cohort, 'after')
  await join(last, 'after, second edge', { edge: secondEdge })

  const final = finalStateByRule(recording)
  t.equal(canonicalHash(final), recording.finalHash, 'the oracle has the state of the recording')
  const state = { ...final, [end]: true }
  for (const { viewer, cohort, name, isResumed } of watching) {
    const isAtEnd = (): boolean => viewer.state?.[end] === true
    await until(`${name} sees the end`, isAtEnd, 60_000).catch(error => {
      t.fail(`${error.message}: at ${viewer.seq}, ${viewer.problems.join('; ')}`)
    })
    const expected = viewOf(definition, state, cohort)
    t.equal(canonicalHash(viewer.state ?? {}), canonicalHash(expected), `the view of ${name}`)
    t.same(viewer.problems, [], `ranges of ${name} adjoin and every delta applies`)
    // Where so much goes by at once, a snapshot may be less.
    const isLedOn = isResumed || (await conflations(edges)) > conflatedBefore
    if (!isLedOn) t.equal(viewer.snapshots.length, 1, `snapshots of ${name}`)
  }
  const told = watching.flatMap(({ viewer }) => viewer.small.filter(({ code }) => code))
  t.same(told, [], 'nobody is refused, and no rule fails')
  for (const { viewer } of watching) viewer.close()

  await checkResume(t, { play, doc, state, from: watching.at(-1)?.viewer.held, join })
}

/** Comes back after one change, with what it held at the second edge before. */
async function checkResume(
  t: Test,
  options: {
    readonly play: PrivatePlay
    readonly doc: string
    readonly state: JsonObject
    readonly from: Held | undefined
    readonly join: Join
  },
): Promise<void> {
  const { play, doc, state, from, join } = options
  const { tree, definition, cohorts } = play
  const [cohort = { claims: {} }] = cohorts.slice(-1)
  await endPlay(tree, doc, 'again')
  // The edge has that change before somebody comes back: it is not to come in two.
  const witness = await join(cohort, 'sees it first')
  await until('the edge has the new end', () => witness.viewer.state?.[end] === 'again')
  witness.viewer.close()
  const { viewer } = await join(cohort, 'resumes after a little', { held: from })
  await until('it sees the new end', () => viewer.state?.[end] === 'again')
  const expected = viewOf(definition, { ...state, [end]: 'again' }, cohort)
  t.equal(canonicalHash(viewer.state ?? {}), canonicalHash(expected), 'the view after a little')
  t.same(viewer.problems, [])
  // Neither what a view was nor what a dense number counted is kept for who comes back.
  if (definition.view === undefined && definition.observe?.numbering === 'document') {
    t.same(viewer.snapshots, [], 'after a little it gets no snapshot')
    t.equal(viewer.deltas.length, 1, 'but one delta')
  }
  viewer.close()
}

/** How often viewers that lagged were led on at these edges. */
async function conflations(edges: readonly ClusterNode[]): Promise<number> {
  const pages = edges.map(async ({ adminUrl }) => {
    const text = await (await fetch(`${adminUrl}/metrics`)).text()
    return Number(/^fanfold_conflations_total\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0)
  })
  return (await Promise.all(pages)).reduce((sum, count) => sum + count, 0)
}

/** What the rules leave of a state for a cohort. */
function viewOf(definition: EdgeDefinition, state: JsonObject, cohort: Cohort): JsonObject {
  const { claims, viewState } = cohort
  const audience = definition.observe?.audience({ id: 'v', claims })
  return naiveView(definition, state, {
    audience: JSON.parse(JSON.stringify(audience)),
    clearance: definition.observe?.clearance(audience) ?? 0,
    viewState,
  })
}

async function create({ authority, cluster }: Tree, doc: string): Promise<void> {
  const { status } = await fetch(`${authority.httpUrl}/v1/documents/${doc}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cluster.token}` },
  })
  if (status !== 201) throw new Error(`${doc} was not created: ${status}`)
}

async function endPlay(
  { authority, cluster }: Tree,
  doc: string,
  delta: JsonValue = true,
): Promise<void> {
  const writer = await Writer.open({ url: authority.url, token: cluster.token })
  await writer.sendAll(doc, [{ message: 'merge', value: { topic: end, delta } }])
  writer.close()
}
