import { extname } from 'node:path'
import { type ParserPlugin, parse } from '@babel/parser'
import type { Expression, Node, Program } from '@babel/types'
import { BuildError, type BundleProblem } from './build-error.ts'
import { shownPath } from './shown-path.ts'

/** A module's text and its syntax tree. */
export type ParsedModule = {
  /** Absolute. */
  readonly path: string
  readonly text: string
  readonly program: Program
}

const pluginsOf: Readonly<Record<string, readonly ParserPlugin[]>> = {
  '.ts': ['typescript'],
  '.mts': ['typescript'],
  '.js': [],
  '.mjs': [],
}

/** @throws BuildError for a text that is no module, and for files that are none. */
export function parseModule(path: string, text: string): ParsedModule {
  const plugins = pluginsOf[extname(path)]
  const shown = shownPath(path)
  if (plugins === undefined) {
    const message = 'an edge variant is made of .ts, .mts, .js and .mjs modules'
    throw new BuildError([{ place: shown, message }])
  }
  try {
    const { program } = parse(text, {
      sourceType: 'module',
      plugins: [...plugins],
      attachComment: false,
    })
    return { path, text, program }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new BuildError([{ place: shown, message }], error)
  }
}

/** `file:line:column` of a node. */
export const placeOf = (module: ParsedModule, { loc }: Node): string =>
  loc === null || loc === undefined
    ? shownPath(module.path)
    : `${shownPath(module.path)}:${loc.start.line}:${loc.start.column + 1}`

/** A problem at a node. */
export const problemAt = (module: ParsedModule, node: Node, message: string): BundleProblem => ({
  place: placeOf(module, node),
  message,
})

/** Where a node stands in the text. */
export function rangeOf({ start, end }: Node): { readonly start: number; readonly end: number } {
  if (typeof start !== 'number' || typeof end !== 'number') throw new Error('a node of a text')
  return { start, end }
}

/** An expression without what only TypeScript sees around it. */
export function unwrap(node: Node): Node {
  let inner = node
  while (isTypeWrapper(inner)) inner = inner.expression
  return inner
}

/** True for an expression that is another one at run time. */
export const isTypeWrapper = (node: Node): node is Node & { readonly expression: Expression } =>
  node.type === 'TSAsExpression' ||
  node.type === 'TSSatisfiesExpression' ||
  node.type === 'TSNonNullExpression' ||
  node.type === 'TSTypeAssertion' ||
  node.type === 'TSInstantiationExpression' ||
  node.type === 'ParenthesizedExpression'

/** The nodes directly below a node, in the order of the text. */
export function* childrenOf(node: Node): Generator<Node, void> {
  for (const [key, value] of Object.entries(node)) {
    if (notBelow.has(key)) continue
    for (const one of Array.isArray(value) ? value : [value]) if (isNode(one)) yield one
  }
}

const notBelow: ReadonlySet<string> = new Set(['loc', 'extra', 'errors', 'comments', 'tokens'])

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
