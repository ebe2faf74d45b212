import { parseArgs } from 'node:util'
import type { Sizes } from './sizes.ts'

/** What the command is asked to do. */
export type Settings = {
  readonly seed: string
  /** How long and how large scenarios are made. */
  readonly sizes: Sizes
  /** Where the report goes besides the terminal: Markdown, or JSON by its name. */
  readonly report: string | undefined
} & (
  | { readonly kind: 'list' }
  | { readonly kind: 'scenarios'; readonly names: readonly string[] }
  | { readonly kind: 'cycles'; readonly cycles: number; readonly writesPerCycle: number }
)

/** What the command takes, one line each. */
export const usage: string = `npm run nemesis -- [options]
  --list           the scenarios, and which of them can run here
  --scenario NAME  run this one; may be given again for more
  --all            run all that can run here
  --cycles N       N deaths in a row, each under load, and look for every acknowledged write in the end
  --writes W       acknowledged writes in each cycle at least (5000)
  --seed TEXT      what chance is drawn from (nemesis)
  --minutes M      how long 'random', 'pairs-killed' and replays last (0.5)
  --rounds N       rounds of deaths in 'fleet-regions-killed'
  --proxies N      proxies of the larger fleets, all regions together
  --edges N        and their edges, each a process
  --hosted N       edges of 'fleet-hot-document' that share processes, beside those
  --viewers N      viewers of the larger fleets
  --speed N        how many times as fast as it was a recording is replayed
  --away S         seconds for which a Redis of a fleet is away
  --report FILE    write a table to FILE.md, or everything to FILE.json`

const limits = {
  cycles: 100_000,
  writes: 1_000_000,
  minutes: 1_440,
  rounds: 100_000,
  proxies: 100,
  edges: 100,
  hosted: 1_000,
  viewers: 10_000,
  speed: 10_000,
  away: 3_600,
}
const seedDefault = 'nemesis'
const minutesDefault = 0.5
const writesDefault = 5_000

/**
 * Reads what follows the command's name.
 *
 * @param known the names of all scenarios
 * @throws TypeError or RangeError for what it does not take
 */
export function readSettings(args: readonly string[], known: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      list: { type: 'boolean' },
      all: { type: 'boolean' },
      scenario: { type: 'string', multiple: true },
      cycles: { type: 'string' },
      writes: { type: 'string' },
      seed: { type: 'string' },
      minutes: { type: 'string' },
      rounds: { type: 'string' },
      proxies: { type: 'string' },
      edges: { type: 'string' },
      hosted: { type: 'string' },
      viewers: { type: 'string' },
      speed: { type: 'string' },
      away: { type: 'string' },
      report: { type: 'string' },
    },
  })
  const { seed = seedDefault, report, scenario } = values
  const sizes: Sizes = {
    minutes: readNumber('minutes', values.minutes) ?? minutesDefault,
    rounds: readNumber('rounds', values.rounds),
    proxies: readNumber('proxies', values.proxies),
    edges: readNumber('edges', values.edges),
    hosted: readNumber('hosted', values.hosted),
    viewers: readNumber('viewers', values.viewers),
    speed: readNumber('speed', values.speed),
    awaySeconds: readNumber('away', values.away),
  }
  const cycles = readNumber('cycles', values.cycles)
  const settings = { seed, sizes, report }
  const asked = [values.list, values.all, scenario, cycles].filter(one => one !== undefined)
  if (asked.length !== 1) throw new RangeError('one of --list, --scenario, --all and --cycles')
  if (cycles !== undefined) {
    const writesPerCycle = readNumber('writes', values.writes) ?? writesDefault
    return { ...settings, kind: 'cycles', cycles, writesPerCycle }
  }
  if (values.list === true) return { ...settings, kind: 'list' }
  const names = scenario ?? known
  const stranger = names.find(name => !known.includes(name))
  if (stranger !== undefined) {
    throw new RangeError(`--scenario is one of ${known.join(', ')}, got '${stranger}'`)
  }
  return { ...settings, kind: 'scenarios', names }
}

function readNumber(name: keyof typeof limits, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  const isRight = name === 'minutes' ? value > 0 : Number.isInteger(value) && value >= 1
  if (isRight && value <= limits[name]) return value
  throw new RangeError(`--${name} is a number up to ${limits[name]}, got '${text}'`)
}
