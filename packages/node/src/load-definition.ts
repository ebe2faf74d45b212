/*
 * A definition from its module, built and evaluated in memory with this process's own library, so that
 * a definition never brings another copy of it; or from a manifest of variants that were built before.
 *
 * A definition is trusted code, but runs on every tier and in the simulator: it gets no modules of
 * Node. A feed, which only writes, may use them.
 */
import { hash } from 'node:crypto'
import { createRequire, isBuiltin } from 'node:module'
import { extname, relative } from 'node:path'
import type { BuildWarning } from '@fanfold/build'
import { BuildError, evaluateModule, libraryNames, readManifest } from '@fanfold/build/variants'
import * as library from '@fanfold/definition'

/** A module as it was evaluated. */
export type LoadedModule = {
  readonly exports: Readonly<Record<string, unknown>>
  /** SHA-256 of the bundle, 64 hexadecimal digits: equal sources, equal hash. */
  readonly hash: string
  /** Absolute paths of the files that went in. */
  readonly inputs: readonly string[]
}

/** What edges get in the place of a definition. */
export type LoadedEdge = {
  /** The highest label whose rules it holds. */
  readonly ceiling: number
  readonly code: string
  /** SHA-256 of the text, 64 hexadecimal digits. */
  readonly hash: string
}

/** A definition, with what it was made from and what edges get of it. */
export type LoadedDefinition = Omit<LoadedModule, 'exports'> & {
  readonly definition: library.DocumentDefinition
  /** One for ceiling 0 and one for each label, in rising order. */
  readonly edges: readonly LoadedEdge[]
  /** What rules reach beside their parameters. */
  readonly warnings: readonly BuildWarning[]
}

/**
 * The definition that the module at `path` exports as its default, or that the manifest at `path`
 * (`<type>.json`, which `fanfold build` writes) names.
 *
 * @param path absolute
 * @throws BuildError with the places in the sources
 */
export async function loadDefinition(path: string): Promise<LoadedDefinition> {
  if (extname(path) === '.json') return await readManifest(path)
  // The bundler is there only where something is built.
  const { buildDefinition } = await import('@fanfold/build')
  // Handlers stay readable: what they throw is logged with their lines.
  const built = await buildDefinition(path, { minify: false })
  const { definition, authority, edges, inputs, warnings } = built
  return { definition, hash: authority.hash, inputs, edges, warnings }
}

/**
 * A feed, which may use the modules of Node.
 *
 * @param path absolute
 * @throws BuildError with the places in the sources
 */
export async function loadFeed(path: string): Promise<LoadedModule> {
  const { bundleModule } = await import('@fanfold/build')
  const bundle = await bundleModule({ path, provided: libraryNames, builtinsRefusal: undefined })
  if (bundle.kind === 'failed') throw new BuildError(bundle.problems)
  const { code, inputs } = bundle
  const nodeRequire = createRequire(path)
  const provide = (name: string): unknown => {
    if (libraryNames.includes(name)) return library
    if (isBuiltin(name)) return nodeRequire(name)
    // A `require` that the bundler could not see through.
    throw new Error(`there is no module ${name} here`)
  }
  try {
    return { exports: evaluateModule(code, path, provide), hash: hash('sha256', code), inputs }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const place = relative(process.cwd(), path)
    throw new BuildError([{ place, message: `threw: ${message}` }], error)
  }
}
