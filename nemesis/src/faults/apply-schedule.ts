/*
 * The nemesis: does what a schedule says to a stage, each fault at its time, and ends each one.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { unreachable } from '@fanfold/kernel'
import { losePower } from '../logs/power-loss.ts'
import type { Heal, Networks } from '../processes/networks.ts'
import type { Stage } from '../stage.ts'
import { within } from '../until.ts'
import { clockFile } from './clock-file.ts'
import { exhaust, starve } from './control-groups.ts'
import { setFakedClock } from './faked-clock.ts'
import type { FaultArguments, Schedule, Step } from './schedule.ts'
import { fillDisk } from './small-disk.ts'

/** Longest time until a node that may take little memory is ended for it, ms. */
const exhaustedMsMax = 20_000
/** After a loss of power, what is on its way to clients has come after so long, ms. */
const drainMs = 150

/** Applies all of a schedule; resolves when the last fault is over. */
export async function applySchedule(stage: Stage, schedule: Schedule): Promise<void> {
  stage.write('schedule.json', schedule)
  const startedAtMs = performance.now()
  const turns = new Turns()
  await Promise.all(
    schedule.map(async step => {
      await delay(Math.max(0, step.atMs - (performance.now() - startedAtMs)))
      await turns.take(processesOf(stage, step), () => applyStep(stage, step))
    }),
  )
}

/** The nodes whose processes a fault ends, starts or holds. */
function processesOf({ fleet }: Stage, { fault, args }: Step): readonly string[] {
  switch (fault) {
    case 'kill':
    case 'pause':
    case 'starve':
    case 'exhaust':
      return [args.node]
    case 'power-loss':
      return fleet.names
    default:
      return []
  }
}

/** Faults of one process wait for each other: one that is being started again cannot die. */
class Turns {
  readonly #last = new Map<string, Promise<void>>()

  async take(names: readonly string[], act: () => Promise<void>): Promise<void> {
    const before = names.flatMap(name => this.#last.get(name) ?? [])
    const mine = Promise.allSettled(before).then(act)
    for (const name of names) this.#last.set(name, mine)
    await mine
  }
}

async function applyStep(stage: Stage, { fault, args }: Step): Promise<void> {
  const { fleet } = stage
  switch (fault) {
    case 'kill':
      await stage.kill(args.node, args.downMs)
      return
    case 'pause': {
      const node = fleet.node(args.node)
      node.signal('SIGSTOP')
      await delay(args.ms)
      node.signal('SIGCONT')
      return
    }
    case 'flap':
      await flap(networksOf(stage), args)
      return
    case 'break':
      networksOf(stage).breakConnections(args.node, fleet.node(args.node).port)
      return
    case 'power-loss':
      await losePowerOf(stage, args)
      return
    case 'clock':
      setFakedClock(clockFile(stage.directory, args.node), args.offsetSeconds)
      return
    case 'fill-disk':
      await during(args.ms, [fillDisk(fleet.dataOf(args.node))])
      return
    case 'exhaust':
      await exhaustNode(stage, args)
      return
    case 'starve':
      await during(args.ms, [starve(fleet.node(args.node).pid, args.percent)])
      return
    case 'cut':
      await during(args.ms, cut(networksOf(stage), args))
      return
    case 'unplug':
      await during(args.ms, [networksOf(stage).unplug(args.node)])
      return
    case 'loss':
      await during(args.ms, [networksOf(stage).lose(args.node, args.share)])
      return
    case 'reorder':
      await during(args.ms, [networksOf(stage).reorder(args.node, args.share, args.rate)])
      return
    case 'slow':
      await during(args.ms, [networksOf(stage).slow(args.node, args.rate)])
      return
    case 'reset':
      await during(args.ms, [networksOf(stage).reset(args.node, fleet.node(args.node).port)])
      return
    case 'refuse':
      await during(args.ms, [networksOf(stage).refuse(args.node, fleet.node(args.node).port)])
      return
    case 'black-hole':
      await during(args.ms, [networksOf(stage).blackHole(args.node, fleet.node(args.node).port)])
      return
    default:
      unreachable(fault)
  }
}

function networksOf({ networks }: Stage): Networks {
  if (networks === undefined) throw new Error('this stage has no networks')
  return networks
}

async function during(ms: number, heals: readonly Heal[]): Promise<void> {
  try {
    await delay(ms)
  } finally {
    for (const heal of heals) heal()
  }
}

function cut(networks: Networks, { node, other, way }: FaultArguments['cut']): Heal[] {
  const heals: Heal[] = []
  if (way !== 'out') heals.push(networks.cutFrom(node, other))
  if (way !== 'in') heals.push(networks.cutTo(node, other))
  return heals
}

async function flap(networks: Networks, args: FaultArguments['flap']): Promise<void> {
  const { node, upMs, downMs, ms } = args
  const endMs = performance.now() + ms
  while (performance.now() < endMs) {
    await during(downMs, [networks.unplug(node)])
    await delay(upMs)
  }
}

/** The kernel ends a node for the memory that it wants, and it is started again, with enough. */
async function exhaustNode(stage: Stage, args: FaultArguments['exhaust']): Promise<void> {
  const { fleet, measures, cleanups } = stage
  const node = fleet.node(args.node)
  const { deaths, heal } = exhaust(node.pid, args.roomBytes)
  cleanups.add(heal)
  try {
    await within(`${args.node} has no memory left`, node.exited, exhaustedMsMax)
    measures['deaths of memory'] = (measures['deaths of memory'] ?? 0) + deaths()
  } finally {
    heal()
  }
  await delay(args.downMs)
  await fleet.restart(args.node)
}

/** Ends all nodes at one instant, cuts the logs, and starts the nodes again. */
async function losePowerOf(stage: Stage, { downMs }: FaultArguments['power-loss']): Promise<void> {
  const { fleet, networks, files, prng, authority } = stage
  for (const name of fleet.names) fleet.node(name).killNow()
  for (const name of fleet.names) {
    await fleet.node(name).exited
    // Without this the kernel would go on sending what a dead process had said.
    networks?.breakConnections(name, fleet.node(name).port)
  }
  await delay(drainMs)
  const told = await stage.writers.ask('tell')
  const shown = await stage.viewers.ask('tell')
  for (const doc of files.docs) {
    const seqs = stage.settings.viewers
      .filter(viewer => (viewer.doc ?? files.docs[0]) === doc)
      .map(({ name }) => shown.seqs[name] ?? 0)
    const keptSeq = Math.max(told.seqs[doc] ?? 0, ...seqs)
    losePower({ data: files.data, doc, keptSeq, prng })
  }
  await delay(downMs)
  await fleet.restart(authority.name)
  for (const name of fleet.names) {
    if (name !== authority.name) await fleet.restart(name)
  }
}
