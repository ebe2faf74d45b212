/*
 * A definition from its module: bundled in memory, evaluated with this process's own library, so that
 * a definition never brings another copy of it, and named by the hash of the bundle.
 *
 * A definition is trusted code, but runs on every tier and in the simulator: it gets no modules of
 * Node. A feed, which only writes, may use them.
 */
import { hash } from 'node:crypto'
import { createRequire, isBuiltin } from 'node:module'
import { relative } from 'node:path'
import * as library from '@fanfold/definition'
import { bundleModule, evaluateModule } from './bundle-module.ts'
import { DefinitionLoadError } from './definition-load-error.ts'

const providedNames = ['fanfold', '@fanfold/definition']

/** A module as it was evaluated. */
export type LoadedModule = {
  readonly exports: Readonly<Record<string, unknown>>
  /** SHA-256 of the bundle, 64 hexadecimal digits: equal sources, equal hash. */
  readonly hash: string
  /** Absolute paths of the files that went in. */
  readonly inputs: readonly string[]
}

/** A definition, with what it was made from. */
export type LoadedDefinition = Omit<LoadedModule, 'exports'> & {
  readonly definition: library.DocumentDefinition
}

/**
 * The definition that the module at `path` exports as its default.
 *
 * @param path absolute
 * @throws DefinitionLoadError with the places in the sources
 */
export async function loadDefinition(path: string): Promise<LoadedDefinition> {
  const made: library.DocumentDefinition[] = []
  // What this evaluation made is what has been checked, whatever else looks like it.
  const defineDocument: typeof library.defineDocument = spec => {
    const definition = library.defineDocument(spec)
    made.push(definition)
    return definition
  }
  const { exports, hash, inputs } = await loadModule(path, { ...library, defineDocument }, false)
  const definition = made.find(one => one === exports['default'])
  if (definition !== undefined) return { definition, hash, inputs }
  const message = 'must export the result of defineDocument({ … }) as its default'
  throw new DefinitionLoadError([{ place: shown(path), message }])
}

/**
 * A feed, which may use the modules of Node.
 *
 * @param path absolute
 * @throws DefinitionLoadError with the places in the sources
 */
export const loadFeed = async (path: string): Promise<LoadedModule> =>
  await loadModule(path, library, true)

async function loadModule(
  path: string,
  provided: unknown,
  mayUseNode: boolean,
): Promise<LoadedModule> {
  const bundle = await bundleModule({
    path,
    provided: providedNames,
    builtinsRefusal: mayUseNode
      ? undefined
      : 'a definition runs on every tier and may not import modules of Node',
  })
  if (bundle.kind === 'failed') throw new DefinitionLoadError(bundle.problems)
  const { code, inputs } = bundle
  const nodeRequire = createRequire(path)
  const provide = (name: string): unknown => {
    if (providedNames.includes(name)) return provided
    if (mayUseNode && isBuiltin(name)) return nodeRequire(name)
    // A `require` that the bundler could not see through.
    throw new Error(`there is no module ${name} here`)
  }
  try {
    return { exports: evaluateModule(code, path, provide), hash: hash('sha256', code), inputs }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new DefinitionLoadError([{ place: shown(path), message: `threw: ${message}` }], error)
  }
}

const shown = (path: string): string => relative(process.cwd(), path)
