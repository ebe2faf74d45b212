/* Fleets that form themselves, of which nodes that have a document die or stand still. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Stage, StageSettings } from '../stage.ts'
import { happenMsMax } from './aside.ts'
import { viewersWait, writersWait } from './expectations.ts'
import { fleetStage, smallFleetSize, topologyOf } from './fleet-stage.ts'
import type { Place, Scenario } from './scenario.ts'

/** Longer than a node is believed to be alive. */
const awayMs = 9_000
/** Between two deaths, ms: longer than another authority takes. */
const roundMs = 7_000

/** Two authorities, two proxies, two edges in one region. */
export const smallFleet = (place: Place): Promise<StageSettings> =>
  fleetStage(place, smallFleetSize)

/** Who has the document by what a node knows: its owner, and the proxy that pulls it. */
export async function whoHas(
  stage: Stage,
  asked: string,
): Promise<{ owner: string; proxy: string }> {
  const { document } = await topologyOf(stage, asked)
  return { owner: document.owner ?? '', proxy: document.regions[0]?.proxies[0] ?? '' }
}

/** Writes go on past what is acknowledged now. */
export async function untilWritesGoOn({ writers }: Stage): Promise<void> {
  const { acknowledged } = await writers.ask('tell')
  await writers.until('writes go on', one => one.acknowledged > acknowledged + 20, happenMsMax)
}

/** The authority that has the document dies, twice, and comes back when another one has taken over. */
async function killOwners(stage: Stage): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const { owner } = await whoHas(stage, 'edge-1')
    await stage.fleet.node(owner).kill()
    await untilWritesGoOn(stage)
    await stage.fleet.restart(owner)
    await delay(3_000)
  }
}

/** It stands still for longer than it is believed to be alive, and goes on when another one has taken over. */
async function pauseOwner(stage: Stage): Promise<void> {
  const { owner } = await whoHas(stage, 'edge-1')
  const node = stage.fleet.node(owner)
  node.signal('SIGSTOP')
  await delay(awayMs)
  node.signal('SIGCONT')
  await untilWritesGoOn(stage)
  await delay(3_000)
}

/** The proxy that pulls the document dies, three times. */
async function killProxies(stage: Stage): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const { proxy } = await whoHas(stage, 'edge-1')
    await stage.fleet.node(proxy).kill()
    await delay(2_000)
    await stage.fleet.restart(proxy)
    await delay(3_000)
  }
}

/** One or two nodes of any roles die at one instant, again and again. */
async function killAny(stage: Stage, rounds: number): Promise<void> {
  const { fleet: nodes, prng } = stage
  for (let round = 0; round < rounds; round++) {
    const left = [...nodes.names]
    const chosen = Array.from({ length: 1 + prng.below(2) }, () => {
      return left.splice(prng.below(left.length), 1)[0] ?? ''
    })
    await Promise.all(chosen.map(name => nodes.node(name).kill()))
    await delay(prng.below(1_000))
    await Promise.all(chosen.map(name => nodes.restart(name)))
    await delay(roundMs)
  }
}

/** Scenarios of fleets. */
export const fleetScenarios: readonly Scenario[] = [
  {
    name: 'fleet-authority-killed',
    does: 'kill -9 of the authority that has the document, twice: another one takes it over, from the log',
    needs: ['redis'],
    seconds: 30,
    stage: smallFleet,
    run: killOwners,
    expects: seen => [writersWait(seen, 3_000), viewersWait(seen, 3_500)],
  },
  {
    name: 'fleet-authority-paused',
    does: 'SIGSTOP of the authority that has the document for 9 s: another one takes it over, and when it goes on it commits nothing',
    needs: ['redis'],
    seconds: 24,
    stage: smallFleet,
    run: pauseOwner,
    expects: seen => [writersWait(seen, 9_000), viewersWait(seen, 9_500)],
  },
  {
    name: 'fleet-proxy-killed',
    does: 'kill -9 of the proxy that pulls the document, three times: another one of the region pulls it',
    needs: ['redis'],
    seconds: 24,
    stage: smallFleet,
    run: killProxies,
    expects: seen => [writersWait(seen, 1_000), viewersWait(seen, 2_500)],
  },
  {
    name: 'fleet-pairs-killed',
    does: 'kill -9 of one or two nodes of any roles at one instant, again and again',
    needs: ['redis'],
    seconds: 50,
    stage: smallFleet,
    run: stage => killAny(stage, 4),
    expects: seen => [writersWait(seen, 7_500), viewersWait(seen, 8_500)],
  },
]
