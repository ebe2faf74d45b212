/*
 * A module and all it imports, as one text that is evaluated from memory: nothing is written to disk,
 * no loader keeps an old version, and what the module may reach is what the caller hands in.
 */
import { isBuiltin } from 'node:module'
import { dirname, resolve } from 'node:path'
import { build, type Message, type Metafile, type Plugin } from 'esbuild'
import type { BundleProblem } from './build-error.ts'
import { shownPath } from './shown-path.ts'

/** What to bundle, and what the module may reach. */
export type BundleOptions = {
  /** Absolute path of the module. */
  readonly path: string
  /** Names of packages that the caller hands in when the module is evaluated. */
  readonly provided: readonly string[]
  /** Why Node's own modules may not be imported; `undefined` when they may. */
  readonly builtinsRefusal: string | undefined
  /** Shorter, and hard to read. Default: false. */
  readonly minify?: boolean | undefined
}

/** A file that went into a bundle, and how much of its text is of it. */
export type VariantInput = { readonly path: string; readonly bytes: number }

/** The bundle, or why there is none. */
export type BundleResult =
  | {
      readonly kind: 'bundled'
      readonly code: string
      /** Absolute paths of the files that went in. */
      readonly inputs: readonly string[]
      /** Those of them of which something is in the text. */
      readonly contents: readonly VariantInput[]
      /** Which module imports which; its paths are relative to the directory of the module. */
      readonly metafile: Metafile
    }
  | { readonly kind: 'failed'; readonly problems: readonly BundleProblem[] }

/** Bundles a module into one CommonJS text. Equal sources in equal places give equal texts. */
export async function bundleModule(options: BundleOptions): Promise<BundleResult> {
  const directory = dirname(options.path)
  try {
    const { outputFiles, metafile } = await build({
      entryPoints: [options.path],
      // Paths in the text are relative to it, so that they do not tell where the sources lie.
      absWorkingDir: directory,
      bundle: true,
      write: false,
      metafile: true,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      charset: 'utf8',
      legalComments: 'none',
      minify: options.minify ?? false,
      logLevel: 'silent',
      external: [...options.provided],
      plugins:
        options.builtinsRefusal === undefined ? [] : [refuseBuiltins(options.builtinsRefusal)],
    })
    const inputs = Object.keys(metafile.inputs).map(input => resolve(directory, input))
    return {
      kind: 'bundled',
      code: outputFiles[0]?.text ?? '',
      inputs,
      contents: contentsOf(metafile, directory),
      metafile,
    }
  } catch (error) {
    return { kind: 'failed', problems: bundleProblems(error, options.path) }
  }
}

/** The files whose text is in a bundle; `directory` is the one it was made in. */
export function contentsOf({ outputs }: Metafile, directory: string): VariantInput[] {
  const [output] = Object.values(outputs)
  return Object.entries(output?.inputs ?? {})
    .filter(([input]) => !input.includes('fanfold:'))
    .map(([input, { bytesInOutput }]) => ({
      path: resolve(directory, input),
      bytes: bytesInOutput,
    }))
}

/** Refuses imports of Node's own modules, with `refusal` as the reason. */
export const refuseBuiltins = (refusal: string): Plugin => ({
  name: 'refuse-builtins',
  setup(setup) {
    setup.onResolve({ filter: /^[a-z]/ }, ({ path }) =>
      isBuiltin(path) ? { errors: [{ text: `${refusal}: ${path}` }] } : undefined,
    )
  },
})

/** What esbuild found wrong with the module at `path`; throws what is no such finding. */
export function bundleProblems(error: unknown, path: string): readonly BundleProblem[] {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) {
    throw error
  }
  const messages: readonly Message[] = error.errors
  return messages.map(message => problemOf(message, path))
}

function problemOf({ text, location }: Message, path: string): BundleProblem {
  if (location === null) return { place: path, message: text }
  const file = shownPath(resolve(dirname(path), location.file))
  return { place: `${file}:${location.line}:${location.column + 1}`, message: text }
}
