import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isRegressionName, readRegression } from './regressions.ts'
import { kindNames, kindOf, type NamedWorld } from './world-kinds.ts'

/** What the command is asked to do. */
export type Settings =
  | ({ readonly kind: 'one'; readonly world: NamedWorld } & PictureSettings)
  | ({ readonly kind: 'shrink'; readonly world: NamedWorld } & ShrinkSettings)
  | ({ readonly kind: 'campaign' } & CampaignSettings)
  | { readonly kind: 'sum'; readonly files: readonly string[]; readonly result: string | undefined }

/** What is drawn of a world that runs alone. */
export type PictureSettings = {
  /** The file, `.svg` or `.html`; none when undefined. */
  readonly picture: string | undefined
  /** Virtual time from which on and until when; around the first problem when undefined. */
  readonly fromMs: number | undefined
  readonly toMs: number | undefined
}

/** How a world is made smaller. */
export type ShrinkSettings = {
  /** The name under which the result is kept; it is told only when undefined. */
  readonly keep: string | undefined
  /** No run is begun after so long. */
  readonly minutes: number
  readonly jobs: number
} & PictureSettings

/** Which worlds a campaign runs, and until when. */
export type CampaignSettings = {
  /** Kinds of worlds, in turn. */
  readonly worlds: readonly string[]
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
  /** The file for its figures; none when undefined. */
  readonly result: string | undefined
  /** Whether the first worlds that fail are made smaller at the end. */
  readonly isShrinking: boolean
}

/** What the command takes, one line each. */
export const usage: string = `npm run simulate -- [options]
  --seeds N          run so many worlds (200 when no --minutes are given)
  --minutes M        begin none after M minutes
  --from S           begin with seed number S (0)
  --world NAME       only worlds of this kind: ${kindNames.join(', ')} (all in turn)
  --nodes K          proxies and edges of each world together, 2 to 1000 (as its seed says)
  --jobs J           worlds at a time, 1 to 64 (the number of cores)
  --result FILE      write the figures into a file
  --no-shrink        leave worlds that fail as they are
  --sum FILE...      add up the figures of campaigns, into --result FILE when that is said

  --seed NAME        run this one world, of the kind --world, and tell what happened in it
  --options JSON     with these options, in place of those that its seed draws
  --regression NAME  run the world that packages/simulator/regressions/NAME.json holds
  --picture FILE     draw what happened around its first problem into FILE.svg or FILE.html
  --from-ms T, --to-ms T  draw from and until virtual time T

  --shrink NAME      make this world smaller that fails, of the kind --world, for --minutes (5)
  --keep NAME        keep what is left in packages/simulator/regressions/NAME.json`

const seedsDefault = 200
const shrinkMinutesDefault = 5
const limits = {
  seeds: 10_000_000,
  from: 1_000_000_000,
  minutes: 10_080,
  nodes: 10_000,
  jobs: 64,
  'from-ms': 1e9,
  'to-ms': 1e9,
}

const text = { type: 'string' } as const
const known = {
  seeds: text,
  from: text,
  minutes: text,
  nodes: text,
  jobs: text,
  world: text,
  seed: text,
  options: text,
  regression: text,
  picture: text,
  'from-ms': text,
  'to-ms': text,
  shrink: text,
  keep: text,
  result: text,
  'no-shrink': { type: 'boolean' },
  sum: { type: 'boolean' },
} as const

/**
 * Reads what follows the command's name.
 *
 * @throws TypeError or RangeError for what it does not take
 */
export function readSettings(args: readonly string[]): Settings {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: known,
    allowPositionals: true,
  })
  const { result, sum = false } = values
  if (sum && positionals.length === 0) throw new RangeError('--sum takes files')
  if (sum) return { kind: 'sum', files: positionals, result }
  const [stray] = positionals
  if (stray !== undefined) throw new RangeError(`only --sum takes files, got '${stray}'`)
  const { world } = values
  if (world !== undefined) kindOf(world)
  const jobs = readNumber('jobs', values.jobs, 1) ?? Math.min(limits.jobs, availableParallelism())
  const minutes = readNumber('minutes', values.minutes, 0)
  const nodes = readNumber('nodes', values.nodes, 2)
  const one = readWorld(values, nodes)
  if (one !== undefined) {
    const picture = readPicture(values)
    if (values.shrink === undefined) return { kind: 'one', world: one, ...picture }
    const { keep } = values
    if (keep !== undefined && !isRegressionName(keep)) {
      throw new RangeError(`--keep is of small letters, digits and -, got '${keep}'`)
    }
    return {
      kind: 'shrink',
      world: one,
      keep,
      minutes: minutes ?? shrinkMinutesDefault,
      jobs,
      ...picture,
    }
  }
  const seeds = readNumber('seeds', values.seeds, 1)
  return {
    kind: 'campaign',
    worlds: worldsOf(world, nodes),
    seeds: seeds ?? (minutes === undefined ? seedsDefault : undefined),
    from: readNumber('from', values.from, 0) ?? 0,
    minutes,
    nodes,
    jobs,
    result,
    isShrinking: values['no-shrink'] !== true,
  }
}

/** The kinds to run: all that can have the size that is asked for. */
function worldsOf(world: string | undefined, nodes: number | undefined): readonly string[] {
  const wanted = world === undefined ? kindNames : [world]
  const sized = wanted.filter(name => nodes === undefined || kindOf(name).hasNodes)
  if (sized.length === 0) throw new RangeError(`--nodes is for trees, and '${world}' is none`)
  return sized
}

type Values = { readonly [Name in keyof typeof known]?: string | boolean | undefined }

/** The one world that is asked for, if it is one. */
function readWorld(
  values: Pick<
    { readonly [Name in keyof Values]?: string | undefined },
    'seed' | 'shrink' | 'regression' | 'world' | 'options'
  >,
  nodes: number | undefined,
): NamedWorld | undefined {
  const { regression, world } = values
  if (regression !== undefined) {
    const { world, seed, options } = readRegression(regression)
    return { world, seed, nodes: undefined, options }
  }
  const seed = values.shrink ?? values.seed
  if (seed === undefined) return undefined
  const name = values.shrink === undefined ? '--seed' : '--shrink'
  if (world === undefined) throw new RangeError(`${name} takes the --world that it draws`)
  const options: unknown = values.options === undefined ? undefined : JSON.parse(values.options)
  return { world, seed, nodes, options }
}

function readPicture(
  values: { readonly [Name in 'picture' | 'from-ms' | 'to-ms']?: string | undefined },
): PictureSettings {
  const { picture } = values
  if (picture !== undefined && !/\.(svg|html)$/.test(picture)) {
    throw new RangeError(`--picture is a file .svg or .html, got '${picture}'`)
  }
  const fromMs = readNumber('from-ms', values['from-ms'], 0)
  const toMs = readNumber('to-ms', values['to-ms'], 0)
  return { picture, fromMs, toMs }
}

/** Those of which there may be parts. */
const fractions: ReadonlySet<string> = new Set(['minutes', 'from-ms', 'to-ms'])

function readNumber(
  name: keyof typeof limits,
  text: string | undefined,
  least: number,
): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  const isRight = fractions.has(name) ? value >= 0 : Number.isInteger(value)
  const isTooLittle = value < least || (name === 'minutes' && value === 0)
  if (!isRight || isTooLittle || value > limits[name]) {
    throw new RangeError(`--${name} is a number from ${least} to ${limits[name]}, got '${text}'`)
  }
  return value
}
