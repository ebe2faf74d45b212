/*
 * Worlds that once found something, each in a file: the seed, all options with their faults, and what
 * it found. How worlds are drawn may change; these stay what they are.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kindOf } from './world-kinds.ts'

/** A world that once found something. */
export type Regression = {
  /** The name of its file. */
  readonly name: string
  /** Its kind. */
  readonly world: string
  readonly seed: string
  /** What it found, in a sentence. */
  readonly found: string
  /** All of them: what is drawn plays no part. */
  readonly options: unknown
}

/** Where the files are. */
export const regressionsFolder: string = join(
  dirname(fileURLToPath(import.meta.resolve('@fanfold/simulator/package.json'))),
  'regressions',
)

/** Whether a file may be called this. */
export const isRegressionName = (name: string): boolean => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)

/**
 * Reads the text of a file.
 *
 * @throws RangeError or SyntaxError for one that holds no world
 */
export function parseRegression(name: string, text: string): Regression {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw new RangeError(`${name} holds no world`)
  const fields: Readonly<Record<string, unknown>> = { ...value }
  const textOf = (field: string): string => {
    const said = fields[field]
    if (typeof said === 'string' && said !== '') return said
    throw new RangeError(`${name} says its ${field} in words, got ${JSON.stringify(said)}`)
  }
  const { options } = fields
  if (options === undefined) throw new RangeError(`${name} has options`)
  const world = textOf('world')
  kindOf(world)
  return { name, world, seed: textOf('seed'), found: textOf('found'), options }
}

/** The text of a file: options a line each, and faults. */
export function formatRegression({ world, seed, found, options }: Regression): string {
  const text = JSON.stringify({ world, seed, found, options }, undefined, 2)
  // A fault and a list of indexes is a line each.
  const compact = text.replace(/\{\s+"kind"[^{}]*\}|\[[\s\d,]*\]/g, part =>
    part.replace(/\s+/g, ' ').replace(/\[ /g, '[').replace(/ \]/g, ']'),
  )
  return `${compact}\n`
}

/** All files, in alphabetical order. */
export function readRegressions(folder: string = regressionsFolder): readonly Regression[] {
  return readdirSync(folder)
    .filter(file => file.endsWith('.json'))
    .sort()
    .map(file => readRegression(file.slice(0, -'.json'.length), folder))
}

/** One of them, by its name. */
export function readRegression(name: string, folder: string = regressionsFolder): Regression {
  return parseRegression(name, readFileSync(join(folder, `${name}.json`), 'utf8'))
}

/** Keeps a world; returns where. */
export function writeRegression(
  regression: Regression,
  folder: string = regressionsFolder,
): string {
  if (!isRegressionName(regression.name)) {
    throw new RangeError(`a name is of small letters, digits and -, got '${regression.name}'`)
  }
  const file = join(folder, `${regression.name}.json`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, formatRegression(regression))
  return file
}
