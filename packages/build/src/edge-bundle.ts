/*
 * The text of an edge variant: what the cut left, bundled with what it imports, and the proof that
 * nothing else came along.
 */
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, extname, resolve, sep } from 'node:path'
import type { Node } from '@babel/types'
import { limits } from '@fanfold/protocol'
import { build, type Metafile, type OnLoadResult, type Plugin } from 'esbuild'
import MagicString from 'magic-string'
import { BuildError, type BundleProblem } from './build-error.ts'
import { bundleProblems, contentsOf, refuseBuiltins, type VariantInput } from './bundle-module.ts'
import { effectProblems, initialisersOf } from './inert.ts'
import { libraryNames } from './library-names.ts'
import { childrenOf, type ParsedModule, parseModule, problemAt, rangeOf } from './parsed-module.ts'
import { shownPath } from './shown-path.ts'

/** An edge variant's text. */
export type EdgeBundle = {
  readonly code: string
  /** SHA-256 of the text, 64 hexadecimal digits. */
  readonly hash: string
  readonly bytes: number
  /** All that was looked at; a file that left nothing but a constant has no bytes of its own. */
  readonly inputs: readonly VariantInput[]
  /** Modules of the project that what is left imports, directly or not. */
  readonly modules: readonly ParsedModule[]
}

/** What to bundle. */
export type EdgeBundleOptions = {
  /** The definition's module, before the cut. */
  readonly module: ParsedModule
  /** What the cut left of it. */
  readonly code: string
  readonly ceiling: number
  /** What may be in the variant: what is left imports it, directly or not. */
  readonly allowed: ReadonlySet<string>
}

const entryName = 'fanfold:edge-variant'

/** @throws BuildError when the text holds, or may hold, more than what is left of the definition */
export async function bundleEdge(options: EdgeBundleOptions): Promise<EdgeBundle> {
  const { ceiling } = options
  const { path } = options.module
  const loader = new ModuleLoader(options)
  let text: string
  let metafile: Metafile
  try {
    const result = await build({
      entryPoints: [entryName],
      absWorkingDir: dirname(path),
      bundle: true,
      write: false,
      metafile: true,
      format: 'cjs',
      platform: 'node',
      target: 'es2022',
      charset: 'utf8',
      legalComments: 'none',
      sourcemap: false,
      minify: true,
      treeShaking: true,
      logLevel: 'silent',
      external: [...libraryNames],
      plugins: [loader.plugin, refuseBuiltins('an edge variant may not use Node')],
    })
    text = result.outputFiles[0]?.text ?? ''
    metafile = result.metafile
  } catch (error) {
    const { problems } = loader
    throw new BuildError(problems.length > 0 ? problems : bundleProblems(error, path))
  }
  const contents = new Map(contentsOf(metafile, dirname(path)).map(one => [one.path, one.bytes]))
  const inputs = Object.keys(metafile.inputs)
    .filter(input => !input.startsWith('fanfold:'))
    .map(input => resolve(dirname(path), input))
    .map(input => ({ path: input, bytes: contents.get(input) ?? 0 }))
  const modules = [...loader.parsed.values()]
  if (!loader.parsed.has(path)) {
    const message = 'the bundler reads it under another name, and not what the cut left of it'
    throw new BuildError([{ place: shownPath(path), message }])
  }
  const bytes = Buffer.byteLength(text)
  const problems = [
    ...modules
      .filter(module => module.path !== path && contents.has(module.path))
      .flatMap(module => effectProblems(module)),
    ...proofProblems(inputs, options),
    ...importProblems(metafile, options.module, loader.parsed),
  ]
  if (bytes > limits.variantBytesMax.value) {
    const message = `the edge variant for ceiling ${ceiling} has ${bytes} bytes, at most ${limits.variantBytesMax.value}`
    problems.push({ place: shownPath(path), message })
  }
  if (problems.length > 0) throw new BuildError(problems)
  return { code: text, hash: hash('sha256', text), bytes, inputs, modules }
}

/** Loads what the cut left for the definition, and tells the bundler what it may leave out. */
class ModuleLoader {
  /** The modules of the project, by path. */
  readonly parsed = new Map<string, ParsedModule>()
  /** Why some could not be loaded. */
  readonly problems: BundleProblem[] = []
  readonly plugin: Plugin

  constructor({ module: { path }, code }: EdgeBundleOptions) {
    const entry = { namespace: 'fanfold', path: 'edge-variant' }
    const contents = {
      // Only the default: what the module exports beside it is for others.
      contents: `export { default } from ${JSON.stringify(path)}`,
      resolveDir: dirname(path),
      loader: 'js',
    } as const
    this.plugin = {
      name: 'edge-modules',
      setup: setup => {
        setup.onResolve({ filter: /^fanfold:edge-variant$/ }, () => entry)
        setup.onLoad({ filter: /.*/, namespace: 'fanfold' }, () => contents)
        setup.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: 'file' }, async ({ path: file }) =>
          isInstalled(file) && !isInstalled(path)
            ? undefined
            : this.#load(file, file === path ? code : await readFile(file, 'utf8')),
        )
      },
    }
  }

  #load(path: string, text: string): OnLoadResult {
    try {
      const module = parseModule(path, text)
      this.parsed.set(path, module)
      return load(module)
    } catch (error) {
      if (!(error instanceof BuildError)) throw error
      this.problems.push(...error.problems)
      return { errors: [{ text: error.message }] }
    }
  }
}

function load(module: ParsedModule): OnLoadResult {
  const text = new MagicString(module.text)
  for (const initialiser of initialisersOf(module)) {
    const { start, end } = rangeOf(initialiser)
    text.appendLeft(start, '/* @__PURE__ */ (() => (').appendRight(end, '))()')
  }
  const loader = extname(module.path).endsWith('ts') ? 'ts' : 'js'
  return { contents: text.toString(), loader }
}

/** True for a file of a package that is installed, not written in the project. */
const isInstalled = (path: string): boolean => path.includes(`${sep}node_modules${sep}`)

/** Nothing may come along that only what was cut imports, not even to be looked at. */
const proofProblems = (
  inputs: readonly VariantInput[],
  { allowed, ceiling }: EdgeBundleOptions,
): BundleProblem[] =>
  inputs
    .filter(({ path }) => !allowed.has(path))
    .map(({ path }) => ({
      place: shownPath(path),
      message: `comes along to the edge variant for ceiling ${ceiling}, though only what was cut imports it`,
    }))

/** Modules of the project are joined by import statements only, and none imports the definition. */
function importProblems(
  metafile: Metafile,
  definition: ParsedModule,
  parsed: ReadonlyMap<string, ParsedModule>,
): BundleProblem[] {
  const directory = dirname(definition.path)
  return Object.entries(metafile.inputs).flatMap(([input, { imports }]) => {
    const path = resolve(directory, input)
    const from = path === definition.path ? definition : parsed.get(path)
    if (from === undefined) return []
    return imports.flatMap(one => {
      const isOwn = !one.external && resolve(directory, one.path) === definition.path
      if (one.kind === 'import-statement' && !isOwn) return []
      const message = isOwn
        ? "imports the definition's own module; let both import a third"
        : 'an edge variant imports by import statements only'
      return [problemAt(from, findText(from.program, one.original ?? one.path), message)]
    })
  })
}

/** The node that is a text in a tree, or its root. */
function findText(root: Node, value: string): Node {
  const waiting: Node[] = [root]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.type === 'StringLiteral' && node.value === value) return node
    waiting.push(...childrenOf(node))
  }
  return root
}
