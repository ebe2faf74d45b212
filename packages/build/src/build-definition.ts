/*
 * Two kinds of programs from one definition. An authority runs all of it. Edges and the links to them
 * get an edge variant for each ceiling: the definition without its first state, its handlers, its budget and
 * what sums and the number of viewers do, without the rules and labels above the ceiling, and without whatever only those imported.
 */
import { hash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import type * as library from '@fanfold/definition'
import { BuildError } from './build-error.ts'
import { bundleModule, type VariantInput } from './bundle-module.ts'
import { cutModule, type Guards } from './cut-module.ts'
import { type DefinitionLiteral, readLiteral } from './definition-literal.ts'
import { bundleEdge } from './edge-bundle.ts'
import { evaluateDefinition } from './evaluate-definition.ts'
import { evaluateEdgeVariant } from './evaluate-edge-variant.ts'
import { guardSchema } from './guard-schema.ts'
import { effectProblems } from './inert.ts'
import { libraryNames } from './library-names.ts'
import { ModuleGraph } from './module-graph.ts'
import { nameWarnings } from './name-warnings.ts'
import { type ParsedModule, parseModule, type placeOf, problemAt } from './parsed-module.ts'
import { type BuildWarning, reachWarnings } from './reach-warnings.ts'

/** How to build. */
export type BuildOptions = {
  /** Whether the authority variant is shortened; edge variants always are. Default: true. */
  readonly minify?: boolean | undefined
}

/** One program that was made of a definition. */
export type BuiltVariant = {
  readonly code: string
  /** SHA-256 of the text, 64 hexadecimal digits. */
  readonly hash: string
  readonly bytes: number
  /** What went in, or was looked at and left nothing (0 bytes); absolute paths. */
  readonly inputs: readonly VariantInput[]
}

/** An edge variant. */
export type BuiltEdge = BuiltVariant & {
  /** The highest label whose rules it holds. */
  readonly ceiling: number
  /** Members of the literal that are in it. */
  readonly kept: readonly string[]
  /** Members of the literal that were cut out. */
  readonly cut: readonly string[]
  /** Files of the authority variant that it does not even look at; absolute paths. */
  readonly leftOut: readonly string[]
}

/** All that is made of a definition. */
export type BuiltDefinition = {
  readonly definition: library.DocumentDefinition
  readonly authority: BuiltVariant
  /** One for ceiling 0 and one for each label, in rising order. */
  readonly edges: readonly BuiltEdge[]
  /** Absolute paths of all sources. */
  readonly inputs: readonly string[]
  readonly warnings: readonly BuildWarning[]
}

/**
 * Builds the definition that the module at `path` exports as its default.
 *
 * @param path absolute
 * @throws BuildError with the places in the sources
 */
export async function buildDefinition(
  path: string,
  options: BuildOptions = {},
): Promise<BuiltDefinition> {
  // The bundler calls files by their real names; a file that is not there is its to tell.
  return await buildReal(await realpath(path).catch(() => path), options)
}

async function buildReal(path: string, options: BuildOptions): Promise<BuiltDefinition> {
  const bundle = await bundleModule({
    path,
    provided: libraryNames,
    builtinsRefusal: 'a definition runs on every tier and may not import modules of Node',
    minify: options.minify ?? true,
  })
  if (bundle.kind === 'failed') throw new BuildError(bundle.problems)
  const { code, inputs, contents, metafile } = bundle
  const definition = evaluateDefinition(code, path)
  const module = parseModule(path, await readFile(path, 'utf8'))
  const literal = readLiteral(module)
  const guards = guardsOf(definition, module, literal)
  const graph = new ModuleGraph(metafile, path)
  const edges: BuiltEdge[] = []
  const warnings = new Map<string, BuildWarning>()
  for (const ceiling of new Set([0, ...definition.labels.map(({ label }) => label)])) {
    const { edge, found } = await buildEdge({ module, literal, guards, graph, ceiling, inputs })
    edges.push(edge)
    for (const warning of found) warnings.set(`${warning.place} ${warning.message}`, warning)
  }
  return {
    definition,
    authority: {
      code,
      hash: hash('sha256', code),
      bytes: Buffer.byteLength(code),
      inputs: contents,
    },
    edges,
    inputs,
    warnings: [...nameWarnings(definition, module, literal), ...warnings.values()],
  }
}

/** What edges check view states and reducers' messages by. */
function guardsOf(
  definition: library.DocumentDefinition,
  module: ParsedModule,
  literal: DefinitionLiteral,
): Guards {
  const problems: BuildWarning[] = []
  const guardOf = (name: string, schema: unknown, node: Parameters<typeof placeOf>[1]) => {
    const guard = guardSchema(schema)
    if (guard.ok) return guard.schema
    for (const one of guard.problems) problems.push(problemAt(module, node, `${name}: ${one}`))
    return undefined
  }
  const viewStateNode = literal.members.get('viewState')
  const viewState =
    viewStateNode === undefined
      ? undefined
      : guardOf('viewState', definition.viewState, viewStateNode)
  const reducers = new Map<string, library.JsonSchema>()
  for (const { place, name, literal: node, members } of literal.reducers) {
    if (place === 'watched') continue
    const at = members.get('message') ?? node
    const guard = guardOf(`reducers.${name}.message`, definition.reducers[name]?.schema, at)
    if (guard !== undefined) reducers.set(name, guard)
  }
  if (problems.length > 0) throw new BuildError(problems)
  return { viewState, reducers }
}

type EdgeOptions = {
  readonly module: ParsedModule
  readonly literal: DefinitionLiteral
  readonly guards: Guards
  readonly graph: ModuleGraph
  readonly ceiling: number
  readonly inputs: readonly string[]
}

async function buildEdge({
  module,
  literal,
  guards,
  graph,
  ceiling,
  inputs,
}: EdgeOptions): Promise<{
  readonly edge: BuiltEdge
  readonly found: readonly BuildWarning[]
}> {
  const cut = cutModule(module, literal, { ceiling, guards })
  const declarations = cut.statements.filter(({ type }) => type !== 'ExportDefaultDeclaration')
  const problems = effectProblems(module, declarations)
  if (problems.length > 0) throw new BuildError(problems)
  const importsOf = (names: ReadonlySet<string>): string[] =>
    [...names].flatMap(name => {
      const source = literal.names.imports.get(name)?.source
      return source === undefined ? [] : (graph.resolve(module.path, source) ?? [])
    })
  const allowed = graph.closure(importsOf(cut.reached))
  const bundle = await bundleEdge({
    module,
    code: cut.code,
    ceiling,
    allowed: new Set([module.path, ...allowed]),
  })
  // It is evaluated here first: what an edge would refuse is not built.
  evaluateEdgeVariant(bundle.code)
  const isIn = new Set(bundle.inputs.map(({ path }) => path))
  const { code, hash, bytes } = bundle
  return {
    edge: {
      ceiling,
      code,
      hash,
      bytes,
      inputs: bundle.inputs,
      kept: cut.kept.map(({ name }) => name),
      cut: cut.cut,
      leftOut: inputs.filter(path => !isIn.has(path)),
    },
    found: reachWarnings({ module, kept: cut.kept, modules: bundle.modules, graph }),
  }
}
