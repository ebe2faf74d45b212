/*
 * The configuration of a node: flags over environment over file over defaults, decoded, checked with
 * all problems reported together, and frozen. Nothing else reads the environment.
 */
import { existsSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { wallClock } from './clock.ts'
import { ConfigError, type ConfigProblem } from './config-error.ts'
import { configFileNames, readConfigFile } from './config-file.ts'
import { publicBindProblems, relationProblems } from './config-relation.ts'
import {
  type Candidate,
  type ConfigFlags,
  fromEnvironment,
  fromFile,
  fromFlags,
  fromProgram,
  type SourceValues,
} from './config-source.ts'
import { type ConfigName, configNames, configRow, type configTable } from './config-table.ts'
import { type ConfigValue, decodeValue } from './config-value.ts'

type TypeOf<Row> = Row extends { type: 'list'; values: readonly (infer Item)[] }
  ? readonly Item[]
  : Row extends { type: 'list' }
    ? readonly string[]
    : Row extends { type: 'integer' | 'port' | 'duration' | 'size' }
      ? number
      : Row extends { type: 'switch' }
        ? boolean
        : Row extends { values: readonly (infer Item)[] }
          ? Item
          : string

type ValueOf<Name extends ConfigName> = (typeof configTable)[Name] extends { default: unknown }
  ? TypeOf<(typeof configTable)[Name]>
  : TypeOf<(typeof configTable)[Name]> | undefined

type SectionName = ConfigName extends infer Name
  ? Name extends `${infer Section}.${string}`
    ? Section
    : never
  : never

/** Durations in ms, sizes in bytes, paths absolute; sections as in the file. Frozen. */
export type Config = {
  readonly [Name in ConfigName as Name extends `${string}.${string}` ? never : Name]: ValueOf<Name>
} & {
  readonly [Section in SectionName]: {
    readonly [Name in ConfigName as Name extends `${Section}.${infer Rest}`
      ? Rest
      : never]: ValueOf<Name>
  }
}

/** A role that a node can play. */
export type Role = Config['roles'][number]

/** A configuration, and where each value came from. */
export type LoadedConfig = {
  readonly config: Config
  /** For each option the place of its value; absent for a default. */
  readonly places: ReadonlyMap<ConfigName, string>
  /** For each option its value; absent where it has none. */
  readonly values: ReadonlyMap<ConfigName, ConfigValue>
  /** The configuration file, as it was named or found; undefined where there is none. */
  readonly file: string | undefined
}

/** Where to look for values. */
export type LoadConfigOptions = {
  readonly flags?: ConfigFlags | undefined
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
  /** Names with `FANFOLD_` in front that other parts of the program read. */
  readonly environmentIgnored?: readonly string[] | undefined
  /** The configuration file; without it `fanfold.yaml`, `.json` or `.ts` of the directory, if any. */
  readonly file?: string | undefined
  /** What the program itself decides, over everything else. */
  readonly program?: Readonly<Partial<Record<ConfigName, unknown>>> | undefined
  /** Where relative paths start. */
  readonly directory: string
}

/**
 * The configuration from flags over environment over file over defaults.
 *
 * @throws ConfigError with every problem there is
 */
export async function loadConfig(options: LoadConfigOptions): Promise<LoadedConfig> {
  const { directory } = options
  const { file, values } = await readFileSource(options.file, directory)
  const sources = [
    fromProgram(options.program ?? {}, directory),
    fromFlags(options.flags ?? {}, directory),
    fromEnvironment(options.environment ?? {}, options.environmentIgnored ?? [], directory),
    values,
  ]
  return { ...combine(sources, directory), file }
}

/**
 * The configuration of a node inside a program or a test: these values over the defaults, and nothing
 * from flags, environment or file.
 *
 * @throws ConfigError with every problem there is
 */
export function createConfig(
  values: Readonly<Partial<Record<ConfigName, unknown>>>,
  directory: string,
): Config {
  return combine([fromProgram(values, directory)], directory).config
}

/** The file, and what is in it. */
type FileSource = { readonly file: string | undefined; readonly values: SourceValues }

async function readFileSource(asked: string | undefined, directory: string): Promise<FileSource> {
  const found = configFileNames.filter(name => existsSync(join(directory, name)))
  if (asked === undefined && found.length > 1) {
    const message = `stands beside ${found.slice(1).join(' and ')}; keep one, or name one with -c`
    const problems = [{ place: found[0] ?? '', message }]
    return { file: undefined, values: { candidates: [], problems } }
  }
  const file = asked ?? found[0]
  if (file === undefined) return { file, values: { candidates: [], problems: [] } }
  return { file, values: await readValues(file, directory) }
}

async function readValues(name: string, directory: string): Promise<SourceValues> {
  const path = resolve(directory, name)
  const shown = relative(directory, path)
  const read = await readConfigFile(path, shown.startsWith('..') ? basename(path) : shown)
  const values = fromFile(read.entries, dirname(path))
  return { candidates: values.candidates, problems: [...read.problems, ...values.problems] }
}

/** The first source that has a value for an option decides; the values of later ones are checked too. */
function combine(sources: readonly SourceValues[], directory: string): Omit<LoadedConfig, 'file'> {
  const problems: ConfigProblem[] = sources.flatMap(source => source.problems)
  const values = new Map<ConfigName, ConfigValue>()
  const places = new Map<ConfigName, string>()
  for (const candidate of sources.flatMap(source => source.candidates)) {
    const decoded = decodeCandidate(candidate, problems)
    if (decoded === undefined || values.has(candidate.name)) continue
    values.set(candidate.name, decoded)
    places.set(candidate.name, candidate.place)
  }
  for (const name of configNames) {
    const row = configRow(name)
    if (values.has(name) || row.default === undefined) continue
    const decoded = decodeValue(row, row.default, directory)
    if (decoded.kind === 'value') values.set(name, decoded.value)
  }
  const config = shape(values)
  // Relations are between values that are each fine; else they would only repeat the problem.
  if (problems.length === 0)
    problems.push(...relationProblems(config, wallClock()), ...publicBindProblems(config))
  if (problems.length > 0) throw new ConfigError(problems)
  return { config, places, values }
}

function decodeCandidate(
  { name, raw, place, base }: Candidate,
  problems: ConfigProblem[],
): ConfigValue | undefined {
  const decoded = decodeValue(configRow(name), raw, base)
  if (decoded.kind === 'value') return decoded.value
  const message = place === name ? decoded.problem : `${name} ${decoded.problem}`
  problems.push({ place, message })
  return undefined
}

/** The values as nested, frozen objects. */
function shape(values: ReadonlyMap<ConfigName, ConfigValue>): Config {
  const config: Record<string, unknown> = {}
  const sections = new Map<string, Record<string, unknown>>()
  for (const name of configNames) {
    const value = values.get(name)
    const frozen = typeof value === 'object' ? Object.freeze([...value]) : value
    const [section = name, inner] = name.split('.')
    if (inner === undefined) config[name] = frozen
    else {
      const members = sections.get(section) ?? {}
      members[inner] = frozen
      sections.set(section, members)
    }
  }
  for (const [section, members] of sections) config[section] = Object.freeze(members)
  return Object.freeze(config) as Config
}
