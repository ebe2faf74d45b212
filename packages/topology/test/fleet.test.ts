import { Prng } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import type { ClusterEffect } from '../src/cluster-effect.ts'
import { incarnationOf } from './arbitraries.ts'
import { Fleet, type FleetNode } from './fleet.ts'

const docs = Array.from({ length: 50 }, (_, index) => parseDocumentKey(`acme/match/${index}`))
const names = ['a', 'b', 'c', 'd', 'e']

/** Half a minute of faults, then quiet; what was wrong. */
function story(seed: string): string[] {
  const prng = new Prng(seed)
  const fleet = new Fleet()
  const nodes = new Map<string, FleetNode>()
  const lives = new Map<string, string>()
  const wrongs: string[] = []
  const stopped = new Set<string>()
  let count = 0
  const look = (name: string, effect: ClusterEffect): void => {
    if (effect.kind !== 'view-changed') return
    for (const change of effect.members) {
      if (change.kind !== 'member-left' || change.why !== 'silent') continue
      const { node, incarnation } = change.member
      const gone = nodes.get(node)
      const isSure = gone?.isAlive && gone.cluster.isSure(fleet.time.now())
      if (isSure && lives.get(node) === incarnation) wrongs.push(`${name} gave up ${node}`)
    }
  }
  const start = (name: string): void => {
    const node = fleet.start(name)
    node.onEffect = effect => look(name, effect)
    nodes.set(name, node)
    lives.set(name, incarnationOf(++count))
    stopped.delete(name)
  }
  for (const name of names) start(name)
  fleet.time.pass(200)
  for (let step = 0; step < 30; step++) {
    const name = prng.pick(names)
    const node = nodes.get(name) as FleetNode
    const does = prng.below(7)
    if (does === 0) node.kill()
    else if (does === 1 && !node.isAlive) start(name)
    else if (does === 2 && node.isAlive && !stopped.has(name)) {
      node.stop()
      stopped.add(name)
    } else if (does === 3 && stopped.delete(name)) node.continue()
    else if (does === 4) node.cut(prng.chance(0.5))
    else if (does === 5) fleet.space.setUnreachable(prng.chance(0.3) ? 'out' : undefined)
    else if (does === 6 && prng.chance(0.3)) fleet.space.clear()
    fleet.time.pass(prng.below(3_000))
  }
  fleet.space.setUnreachable(undefined)
  for (const [name, node] of [...nodes]) {
    if (stopped.has(name)) node.continue()
    node.cut(false)
    if (!node.isAlive) start(name)
  }
  fleet.time.pass(8_000)
  for (const node of nodes.values()) {
    if (node.alive.join() !== names.join()) wrongs.push(`sees ${node.alive.join()}`)
    if (!node.cluster.isSure(fleet.time.now())) wrongs.push('unsure in quiet')
    if (node.of('node-refused').length > 0) wrongs.push('refused without a clone')
  }
  const views = [...nodes.values()].map(node =>
    docs.map(doc => node.cluster.placement?.ownerNameOf(doc)).join(),
  )
  if (new Set(views).size !== 1) wrongs.push('views differ in quiet')
  return wrongs
}

await t.test(
  'whatever fails, nobody is given up who is sure, and quiet brings agreement',
  async t => {
    fc.assert(
      fc.property(fc.string(), seed => {
        const wrongs = story(seed)
        if (wrongs.length > 0) throw new Error(wrongs.join('; '))
      }),
      { numRuns: 30 },
    )
    t.pass('30 stories')
  },
)
