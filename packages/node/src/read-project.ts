/*
 * What a path on the command line stands for: a definition module, a manifest of one that was built,
 * or a directory whose package.json says under `fanfold` where its definitions are, and for a
 * demonstration its document, feed and page.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BuildError } from '@fanfold/build/variants'

/** Definitions, and what shows them at work; paths are absolute. */
export type Project = {
  readonly definitions: readonly string[]
  /** Key of the document that a demonstration opens. */
  readonly document: string | undefined
  /** Module that keeps writing to the document. */
  readonly feed: string | undefined
  /** Directory of the page that shows the document. */
  readonly page: string | undefined
}

/** Modules that a directory without a package.json of ours is looked through for. */
const definitionNames = ['definition.ts', 'definition.js', 'definition.mjs']

/**
 * The project at `path`, an absolute path.
 *
 * @throws BuildError when there is none
 */
export function readProject(path: string): Project {
  if (!existsSync(path)) return refuse(path, 'there is no such file or directory')
  if (!statSync(path).isDirectory()) return alone(path)
  const said = readPackage(path)
  if (said === undefined) {
    const name = definitionNames.find(candidate => existsSync(join(path, candidate)))
    const looked = `neither a package.json with "fanfold" nor ${definitionNames.join(', ')}`
    return name === undefined ? refuse(path, `holds ${looked}`) : alone(join(path, name))
  }
  const text = (field: string): string | undefined => {
    const value = said[field]
    if (value === undefined || typeof value === 'string') return value
    return refuse(join(path, 'package.json'), `"fanfold"."${field}" must be a text`)
  }
  const file = (field: string): string | undefined => {
    const name = text(field)
    return name === undefined ? undefined : resolve(path, name)
  }
  const { definitions } = said
  const many = Array.isArray(definitions)
    ? definitions.map(name => resolve(path, String(name)))
    : []
  const one = file('definition')
  const all = one === undefined ? many : [one, ...many]
  if (all.length === 0) {
    return refuse(join(path, 'package.json'), '"fanfold" must name a "definition" or "definitions"')
  }
  return { definitions: all, document: text('document'), feed: file('feed'), page: file('page') }
}

const alone = (definition: string): Project => ({
  definitions: [definition],
  document: undefined,
  feed: undefined,
  page: undefined,
})

function refuse(place: string, message: string): never {
  throw new BuildError([{ place, message }])
}

function readPackage(directory: string): Readonly<Record<string, unknown>> | undefined {
  const path = join(directory, 'package.json')
  if (!existsSync(path)) return undefined
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    return refuse(path, error instanceof Error ? error.message : String(error))
  }
  if (!isRecord(content) || !isRecord(content['fanfold'])) return undefined
  return content['fanfold']
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
