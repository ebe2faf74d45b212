/* What happens to a fleet while a crowd says something: nodes and servers die, stand still, and regions are cut off. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Networks } from '../processes/networks.ts'
import { clientsNetwork, type Stage } from '../stage.ts'
import { serversOf } from './fleet-stage.ts'

/** The regions of the fleet, and the network of its authorities, where nodes meet and logs are. */
export const chatRegions = ['eu', 'us'] as const
export const chatCore = 'core'

/** What may happen to a fleet; ends when it is over. */
type Strike = {
  readonly what: 'kill' | 'pause' | 'cut'
  /** What it is done to; nothing else is done to that meanwhile. */
  readonly target: string
  readonly act: (stage: Stage, ms: number) => Promise<void>
}

/** Longest time for which something is away, ms. */
const awayMsMax = 3_000
/** At one time, and from one to the next at least, and up to twice as long, ms. */
const strikesMax = 2
const strikeEveryMs = 1_500
/** For so long where each happens once, ms. */
const shortMs = 500

/** All that may happen to a stage. */
function strikesOf({ settings, networks }: Stage): Strike[] {
  const nodes = settings.nodes.flatMap(({ name: target }): Strike[] => [
    { what: 'kill', target, act: (stage, ms) => stage.kill(target, ms) },
    { what: 'pause', target, act: (stage, ms) => pauseNode(stage, target, ms) },
  ])
  const servers = (['meeting', 'logs'] as const).flatMap((target): Strike[] => [
    { what: 'kill', target, act: (stage, ms) => killServer(stage, target, ms) },
    { what: 'pause', target, act: (stage, ms) => pauseServer(stage, target, ms) },
  ])
  const cuts =
    networks === undefined
      ? []
      : chatRegions.flatMap(region =>
          [chatCore, clientsNetwork].map((other): Strike => {
            const act = (_: Stage, ms: number): Promise<void> => cutOff(networks, region, other, ms)
            return { what: 'cut', target: `${region} ${other}`, act }
          }),
        )
  return [...nodes, ...servers, ...cuts]
}

async function pauseNode({ fleet }: Stage, name: string, ms: number): Promise<void> {
  const node = fleet.node(name)
  node.signal('SIGSTOP')
  await delay(ms)
  node.signal('SIGCONT')
}

async function killServer(stage: Stage, name: 'meeting' | 'logs', ms: number): Promise<void> {
  const server = serversOf(stage)[name]
  await server.kill()
  await delay(ms)
  await server.restart()
}

async function pauseServer(stage: Stage, name: 'meeting' | 'logs', ms: number): Promise<void> {
  const server = serversOf(stage)[name]
  server.pause()
  await delay(ms)
  server.resume()
}

async function cutOff(
  networks: Networks,
  region: string,
  other: string,
  ms: number,
): Promise<void> {
  const heals = [networks.cutFrom(region, other), networks.cutTo(region, other)]
  await delay(ms)
  for (const heal of heals) heal()
}

/** How often each thing happened. */
export type Struck = Readonly<Record<(typeof struckNames)[number], number>>

/** What is counted of all that happens. */
export const struckNames = [
  'edges killed',
  'proxies killed',
  'authorities killed',
  'servers killed',
  'paused',
  'cut',
] as const

type Told = Pick<Strike, 'what' | 'target'> & { readonly ms: number; readonly atMs: number }

function struckBy(stage: Stage, told: readonly Told[]): Struck {
  stage.write('strikes.json', told)
  const count = (what: Strike['what'], target = /./): number =>
    told.filter(one => one.what === what && target.test(one.target)).length
  return {
    'edges killed': count('kill', /^edge/),
    'proxies killed': count('kill', /^proxy/),
    'authorities killed': count('kill', /^authority/),
    'servers killed': count('kill', /^(meeting|logs)$/),
    paused: count('pause'),
    cut: count('cut'),
  }
}

/** Strikes at random while something is said. */
export async function strikeAny(stage: Stage, goesOn: () => boolean): Promise<Struck> {
  const prng = stage.prng.fork('strikes')
  const strikes = strikesOf(stage)
  const under = new Map<string, Promise<void>>()
  const told: Told[] = []
  while (goesOn()) {
    await delay(strikeEveryMs + prng.below(strikeEveryMs))
    // Of each kind as often, however many nodes there are.
    const what = prng.pick(['kill', 'kill', 'pause', 'cut'] as const)
    const possible = strikes.filter(one => one.what === what && !under.has(one.target))
    if (under.size >= strikesMax || possible.length === 0) continue
    const { target, act } = prng.pick(possible)
    const ms = prng.below(awayMsMax)
    told.push({ what, target, ms, atMs: Date.now() })
    const isOver = act(stage, ms).finally(() => under.delete(target))
    isOver.catch(() => undefined)
    under.set(target, isOver)
  }
  await Promise.all(under.values())
  return struckBy(stage, told)
}

/** One node of each role dies after the other, and the logs stand still, whatever is said. */
export async function strikeEach(stage: Stage): Promise<Struck> {
  const strikes = strikesOf(stage)
  const told: Told[] = []
  const wanted = [
    ['kill', 'edge-1'],
    ['kill', 'proxy-1'],
    ['kill', 'authority-1'],
    ['pause', 'logs'],
    ['kill', 'proxy-2'],
    ['kill', 'authority-2'],
  ] as const
  for (const [what, target] of wanted) {
    const strike = strikes.find(one => one.what === what && one.target === target)
    if (strike === undefined) throw new Error(`the fleet has a ${target}`)
    told.push({ what, target, ms: shortMs, atMs: Date.now() })
    await strike.act(stage, shortMs)
  }
  return struckBy(stage, told)
}
