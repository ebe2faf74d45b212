/*
 * Where values come from: each source gives candidates, which are values that are not decoded yet,
 * with their places; what no option is called is a problem of its own.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { closestName } from './closest-name.ts'
import type { ConfigProblem } from './config-error.ts'
import type { ConfigEntry } from './config-file.ts'
import { environmentFileOf, fileNameOf, namesByFlag, namesByVariable } from './config-name.ts'
import { type ConfigName, configNames, configRow, isConfigName } from './config-table.ts'

/** A value for an option, before it is decoded. */
export type Candidate = {
  readonly name: ConfigName
  readonly raw: unknown
  readonly place: string
  /** Where relative paths start. */
  readonly base: string
}

/** What one source gives. */
export type SourceValues = {
  readonly candidates: readonly Candidate[]
  readonly problems: readonly ConfigProblem[]
}

/** Flags by name without dashes; a flag that may be repeated has a list. */
export type ConfigFlags = Readonly<Record<string, string | readonly string[] | undefined>>

class Collector implements SourceValues {
  readonly candidates: Candidate[] = []
  readonly problems: ConfigProblem[] = []
  readonly #base: string

  constructor(base: string) {
    this.#base = base
  }

  add(name: ConfigName, raw: unknown, place: string): void {
    if (this.candidates.some(candidate => candidate.name === name)) {
      this.problems.push({ place, message: `${name} is given both as a value and as a file` })
    }
    this.candidates.push({ name, raw, place, base: this.#base })
  }

  addFile(name: ConfigName, path: unknown, place: string): void {
    if (typeof path !== 'string' || path === '') {
      this.problems.push({ place, message: 'must be the path of a file' })
      return
    }
    try {
      this.add(name, readFileSync(resolve(this.#base, path), 'utf8').trim(), place)
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? error.code : error
      this.problems.push({ place, message: `cannot read ${path}: ${reason}` })
    }
  }

  addUnknown(place: string, text: string, names: readonly string[], prefix = ''): void {
    const closest = closestName(text, names)
    const advice = closest === undefined ? '' : `; did you mean ${prefix}${closest}?`
    this.problems.push({ place, message: `there is no option ${prefix}${text}${advice}` })
  }
}

/** Values from the command line. */
export function fromFlags(flags: ConfigFlags, directory: string): SourceValues {
  const collector = new Collector(directory)
  for (const [flag, raw] of Object.entries(flags)) {
    if (raw === undefined) continue
    const name = namesByFlag.get(flag)
    if (namesByFlag.has(`${flag}-file`)) {
      const message = `a secret as a flag could be read by everybody on the machine: give --${flag}-file`
      collector.problems.push({ place: `--${flag}`, message })
    } else if (name === undefined) {
      collector.addUnknown(`--${flag}`, flag, [...namesByFlag.keys()], '--')
    } else if (configRow(name).secret) collector.addFile(name, raw, `--${flag}`)
    else collector.add(name, raw, `--${flag}`)
  }
  return collector
}

// Kubernetes tells every pod of a namespace about a Service named `fanfold` in these.
const serviceVariable = /^FANFOLD_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_\w+)$/

/**
 * Values from the environment; only names with `FANFOLD_` in front are looked at.
 *
 * @param ignored names that other parts of the program read
 */
export function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  ignored: readonly string[],
  directory: string,
): SourceValues {
  const collector = new Collector(directory)
  for (const [variable, raw] of Object.entries(environment)) {
    if (raw === undefined || !variable.startsWith('FANFOLD_')) continue
    if (ignored.includes(variable) || serviceVariable.test(variable)) continue
    const entry = namesByVariable.get(variable)
    if (entry === undefined) collector.addUnknown(variable, variable, [...namesByVariable.keys()])
    else if (entry.name === 'port' && raw.startsWith('tcp://')) {
      const message = `is ${raw}, as Kubernetes sets it for a Service named fanfold: give the pod enableServiceLinks: false`
      collector.problems.push({ place: variable, message })
    } else if (entry.isFile) collector.addFile(entry.name, raw, environmentFileOf(entry.name))
    else collector.add(entry.name, raw, variable)
  }
  return collector
}

/** Values from a file, whose relative paths start at the file's directory. */
export function fromFile(entries: readonly ConfigEntry[], directory: string): SourceValues {
  const collector = new Collector(directory)
  for (const { name, raw, place } of entries) {
    const secret = configNames.find(row => configRow(row).secret && fileNameOf(row) === name)
    if (isConfigName(name)) collector.add(name, raw, place)
    else if (secret !== undefined) collector.addFile(secret, raw, place)
    else collector.addUnknown(place, name, configNames)
  }
  return collector
}

/** Values that the program itself gives, over all others. */
export function fromProgram(
  values: Readonly<Partial<Record<ConfigName, unknown>>>,
  directory: string,
): SourceValues {
  const collector = new Collector(directory)
  for (const [name, raw] of Object.entries(values)) {
    if (raw === undefined) continue
    if (isConfigName(name)) collector.add(name, raw, name)
    else collector.addUnknown('program', name, configNames)
  }
  return collector
}
