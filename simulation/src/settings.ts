import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type DrawnWorld, isWorldName, type WorldName, worldNames } from '@fanfold/simulator'

/** What the command is asked to do: one world alone, or many. */
export type Settings =
  | { readonly kind: 'one'; readonly world: DrawnWorld }
  | ({ readonly kind: 'campaign' } & CampaignSettings)

/** Which worlds a campaign runs, and until when. */
export type CampaignSettings = {
  /** Kinds of worlds, in turn. */
  readonly worlds: readonly WorldName[]
  /** Worlds, those that once found something not counted; no bound when undefined. */
  readonly seeds: number | undefined
  /** The number of the first seed of each kind. */
  readonly from: number
  /** No world is begun after so long. */
  readonly minutes: number | undefined
  /** Proxies and edges of each world together; as its seed says when undefined. */
  readonly nodes: number | undefined
  /** Worlds that run at a time, each in a process. */
  readonly jobs: number
}

/** What the command takes, one line each. */
export const usage: string = `npm run simulate -- [options]
  --seeds N      run so many worlds (200 when no --minutes are given)
  --minutes M    begin none after M minutes
  --from S       begin with seed number S (0)
  --world NAME   only worlds of this kind: ${worldNames.join(', ')} (all in turn)
  --nodes K      proxies and edges of each world together, 2 to 1000 (as its seed says)
  --jobs J       worlds at a time, 1 to 64 (the number of cores)
  --seed NAME    run this one world, of the kind --world, and tell what happened in it`

const seedsDefault = 200
const limits = { seeds: 10_000_000, from: 1_000_000_000, minutes: 10_080, nodes: 1_000, jobs: 64 }

/**
 * Reads what follows the command's name.
 *
 * @throws TypeError or RangeError for what it does not take
 */
export function readSettings(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      from: { type: 'string' },
      minutes: { type: 'string' },
      nodes: { type: 'string' },
      jobs: { type: 'string' },
      world: { type: 'string' },
      seed: { type: 'string' },
    },
  })
  const nodes = readNumber('nodes', values.nodes, 2)
  const { world } = values
  if (world !== undefined && !isWorldName(world)) {
    throw new RangeError(`--world is one of ${worldNames.join(', ')}, got '${world}'`)
  }
  if (values.seed !== undefined) {
    if (world === undefined) throw new RangeError('--seed takes the --world that it draws')
    return { kind: 'one', world: { world, seed: values.seed, nodes } }
  }
  const minutes = readNumber('minutes', values.minutes, 0)
  const seeds = readNumber('seeds', values.seeds, 1)
  return {
    kind: 'campaign',
    worlds: world === undefined ? worldNames : [world],
    seeds: seeds ?? (minutes === undefined ? seedsDefault : undefined),
    from: readNumber('from', values.from, 0) ?? 0,
    minutes,
    nodes,
    jobs: readNumber('jobs', values.jobs, 1) ?? Math.min(limits.jobs, availableParallelism()),
  }
}

function readNumber(
  name: keyof typeof limits,
  text: string | undefined,
  least: number,
): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  const isRight = name === 'minutes' ? value > 0 : Number.isInteger(value)
  if (!isRight || value < least || value > limits[name]) {
    throw new RangeError(`--${name} is a number from ${least} to ${limits[name]}, got '${text}'`)
  }
  return value
}
