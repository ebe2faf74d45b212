/*
 * A configuration file as a list of entries, each with the place where it stands. YAML and JSON go
 * through one parser that keeps lines; a `.ts` file is bundled and evaluated, and has none.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { evaluateModule } from '@fanfold/build/variants'
import { isAlias, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import type { ConfigProblem } from './config-error.ts'

/** The files that are looked for when none is named, at most one of which may be there. */
export const configFileNames: readonly string[] = ['fanfold.yaml', 'fanfold.json', 'fanfold.ts']

/** Sections are one level deep; what lies deeper is a value, which no option takes. */
const depthMax = 2

/** One leaf of a file: the dotted name, the value, and where it stands. */
export type ConfigEntry = {
  readonly name: string
  readonly raw: unknown
  readonly place: string
}

/** What a file holds, with what is wrong with the file itself. */
export type ConfigFile = {
  readonly entries: readonly ConfigEntry[]
  readonly problems: readonly ConfigProblem[]
}

/** Reads a configuration file; `shown` is the path as problems call it. */
export async function readConfigFile(path: string, shown: string): Promise<ConfigFile> {
  const extension = extname(path)
  if (extension === '.ts') return await readModule(path, shown)
  if (extension !== '.yaml' && extension !== '.yml' && extension !== '.json') {
    return problem(shown, 'is not a .yaml, .json or .ts file')
  }
  try {
    return readYaml(await readFile(path, 'utf8'), shown)
  } catch (error) {
    return problem(shown, `cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}

const problem = (place: string, message: string): ConfigFile => ({
  entries: [],
  problems: [{ place, message }],
})

function readYaml(text: string, shown: string): ConfigFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const placeAt = (offset: number): string => `${shown}:${lines.linePos(offset).line}`
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos }) => ({
      place: placeAt(pos[0]),
      message,
    }))
    return { entries: [], problems }
  }
  const entries: ConfigEntry[] = []
  const visit = (node: unknown, prefix: string, depth: number): boolean => {
    if (!isMap(node) || depth > depthMax) return false
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue
      const name = prefix + String(key.value)
      const target = isAlias(value) ? value.resolve(document) : value
      if (visit(target, `${name}.`, depth + 1)) continue
      const raw: unknown = isNode(target) ? target.toJS(document) : undefined
      entries.push({ name, raw, place: placeAt(key.range?.[0] ?? 0) })
    }
    return true
  }
  const isEmpty = document.contents === null
  if (!isEmpty && !visit(document.contents, '', 1)) return problem(shown, 'must hold a map')
  return { entries, problems: [] }
}

async function readModule(path: string, shown: string): Promise<ConfigFile> {
  // The bundler is there only where something is built.
  const { bundleModule } = await import('@fanfold/build')
  const bundle = await bundleModule({ path, provided: [], builtinsRefusal: undefined })
  if (bundle.kind === 'failed') return { entries: [], problems: bundle.problems }
  let exported: unknown
  try {
    exported = evaluateModule(bundle.code, path, createRequire(path))['default']
  } catch (error) {
    return problem(shown, `threw ${error instanceof Error ? error.message : error}`)
  }
  if (!isPlainObject(exported)) return problem(shown, 'must export an object as its default')
  const entries: ConfigEntry[] = []
  for (const [key, value] of Object.entries(exported)) {
    if (!isPlainObject(value)) entries.push({ name: key, raw: value, place: shown })
    else {
      for (const [inner, raw] of Object.entries(value)) {
        entries.push({ name: `${key}.${inner}`, raw, place: shown })
      }
    }
  }
  return { entries, problems: [] }
}

const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
