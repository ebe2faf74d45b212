/*
 * What rules and views reach beside their parameters. They are asked now and then, here and there, and
 * must answer alike: what depends on the time, on chance or on what was asked before does not. It is
 * found by name, so it is advice, and no proof.
 */
import type { Node, Statement } from '@babel/types'
import type { BundleProblem } from './build-error.ts'
import { memberName, objectOf } from './definition-literal.ts'
import { type FreeName, freeNames } from './free-names.ts'
import { libraryNames } from './library-names.ts'
import type { ModuleGraph } from './module-graph.ts'
import { declaredNames, ModuleNames } from './module-names.ts'
import { type ParsedModule, problemAt } from './parsed-module.ts'

/** A place in the sources, and what may be wrong there. */
export type BuildWarning = BundleProblem

/** What to look through. */
export type ReachOptions = {
  readonly module: ParsedModule
  /** Members of the literal that edges have. */
  readonly kept: readonly { readonly name: string; readonly node: Node }[]
  /** The modules of the edge variant. */
  readonly modules: readonly ParsedModule[]
  readonly graph: ModuleGraph
}

/** Every use of something that is not a parameter, a constant or a pure part of the language. */
export function reachWarnings({ module, kept, modules, graph }: ReachOptions): BuildWarning[] {
  const others = modules.filter(({ path }) => path !== module.path)
  const reach = new Reach([module, ...others], graph)
  for (const { name, node } of kept.flatMap(partsOf)) reach.follow(module, node, name)
  return reach.warnings
}

type Part = ReachOptions['kept'][number]

/** The members of `observe` one by one. */
function partsOf(part: Part): readonly Part[] {
  const { name, node } = part
  const literal = name === 'observe' && node.type === 'ObjectProperty' ? objectOf(node) : undefined
  if (literal === undefined) return [part]
  return literal.properties.map(property => {
    const member = property.type === 'SpreadElement' ? undefined : memberName(property)
    return { name: `observe.${member ?? '…'}`, node: property }
  })
}

class Reach {
  readonly warnings: BuildWarning[] = []
  readonly #modules: ReadonlyMap<
    string,
    { readonly module: ParsedModule; readonly names: ModuleNames }
  >
  readonly #graph: ModuleGraph
  readonly #followed = new Set<Node>()

  constructor(modules: readonly ParsedModule[], graph: ModuleGraph) {
    this.#graph = graph
    this.#modules = new Map(
      modules.map(module => [module.path, { module, names: new ModuleNames(module) }]),
    )
  }

  /** Looks through a node, and through all that it reaches; each once, for whoever reaches it first. */
  follow(module: ParsedModule, node: Node, subject: string): void {
    if (this.#followed.has(node)) return
    this.#followed.add(node)
    const names = this.#modules.get(module.path)?.names
    for (const free of freeNames(node)) {
      const imported = names?.imports.get(free.name)
      const statement = names?.declared.get(free.name)
      if (imported !== undefined) {
        const wanted = imported.imported === '*' ? (free.member ?? '*') : imported.imported
        this.#followImport(module, { source: imported.source, name: wanted }, subject)
      } else if (statement !== undefined) this.#followOwn(module, { free, statement }, subject)
      else this.#judgeGlobal(module, free, subject)
    }
  }

  #followOwn(
    module: ParsedModule,
    { free, statement }: { readonly free: FreeName; readonly statement: Statement },
    subject: string,
  ): void {
    const declaration =
      statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declaration?.type === 'VariableDeclaration' && declaration.kind !== 'const') {
      this.#warn(module, free, `${subject} reaches ${free.name}, a variable of its module`)
    } else if (free.isWritten) {
      this.#warn(module, free, `${subject} changes ${free.name}, which outlives it`)
    }
    this.follow(module, statement, subject)
  }

  #followImport(
    from: ParsedModule,
    { source, name }: { readonly source: string; readonly name: string },
    subject: string,
  ): void {
    if (libraryNames.includes(source)) return
    const path = this.#graph.resolve(from.path, source)
    // What is installed is taken on trust.
    const found = path === undefined ? undefined : this.#modules.get(path)
    if (found !== undefined) this.#followExport(found.module, name, subject)
  }

  #followExport(module: ParsedModule, name: string, subject: string): void {
    const isIt = (exported: string): boolean => name === '*' || exported === name
    const names = this.#modules.get(module.path)?.names
    for (const statement of module.program.body) {
      if (statement.type === 'ExportDefaultDeclaration' && isIt('default')) {
        this.follow(module, statement, subject)
      } else if (statement.type === 'ExportAllDeclaration') {
        this.#followImport(module, { source: statement.source.value, name }, subject)
      } else if (statement.type === 'ExportNamedDeclaration') {
        if (declaredNames(statement).some(isIt)) this.follow(module, statement, subject)
        for (const specifier of statement.specifiers) {
          const { exported } = specifier
          if (!isIt(exported.type === 'Identifier' ? exported.name : exported.value)) continue
          const local = specifier.type === 'ExportSpecifier' ? specifier.local.name : '*'
          if (statement.source) {
            const { value: source } = statement.source
            this.#followImport(module, { source, name: local }, subject)
          } else {
            const declared = names?.declared.get(local)
            const imported = names?.imports.get(local)
            if (declared !== undefined) this.follow(module, declared, subject)
            else if (imported !== undefined) {
              const { source } = imported
              this.#followImport(module, { source, name: imported.imported }, subject)
            }
          }
        }
      }
    }
  }

  #judgeGlobal(module: ParsedModule, free: FreeName, subject: string): void {
    const isChance = free.name === 'Math' && free.member === 'random'
    if (pure.has(free.name) && !isChance && !free.isWritten) return
    const name = free.member === undefined ? free.name : `${free.name}.${free.member}`
    this.#warn(module, free, `${subject} reaches ${name}, which is none of its parameters`)
  }

  #warn(module: ParsedModule, { node }: FreeName, message: string): void {
    this.warnings.push(problemAt(module, node, message))
  }
}

/** Parts of the language that answer alike whenever and wherever they are asked. */
const pure: ReadonlySet<string> = new Set([
  ...['undefined', 'NaN', 'Infinity', 'Math', 'JSON', 'Reflect', 'structuredClone'],
  ...['Object', 'Array', 'String', 'Number', 'Boolean', 'BigInt', 'Symbol', 'RegExp'],
  ...['Map', 'Set', 'WeakMap', 'WeakSet', 'ArrayBuffer', 'DataView', 'Uint8Array', 'Int8Array'],
  ...['Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array'],
  ...['Uint8ClampedArray', 'BigInt64Array', 'BigUint64Array'],
  ...['Error', 'TypeError', 'RangeError', 'SyntaxError', 'EvalError', 'URIError'],
  ...['parseInt', 'parseFloat', 'isNaN', 'isFinite', 'encodeURIComponent', 'decodeURIComponent'],
  ...['encodeURI', 'decodeURI'],
])
