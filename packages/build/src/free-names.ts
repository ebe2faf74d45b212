/*
 * The names that a piece of code takes from outside of it. Types take nothing: they are gone when it
 * runs.
 */
import type { Function as FunctionNode, Node } from '@babel/types'
import { childrenOf, isTypeWrapper, unwrap } from './parsed-module.ts'

/** One name that is taken from outside. */
export type FreeName = {
  readonly name: string
  readonly node: Node
  /** The member that is read of it, where it is one by name: `random` in `Math.random`. */
  readonly member: string | undefined
  /** True where the name, or a member at any depth, is written. */
  readonly isWritten: boolean
}

/** Every use of a name from outside, in the order of the text; `this` and `arguments` count too. */
export function freeNames(node: Node): readonly FreeName[] {
  const found: FreeName[] = []
  walk(node, { names: new Set(), parent: undefined }, { found, hasThis: false })
  return found
}

/** The names that a pattern binds. */
export function boundNames(pattern: Node | null | undefined): string[] {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name]
    case 'ObjectPattern':
      return pattern.properties.flatMap(property =>
        boundNames(property.type === 'RestElement' ? property : property.value),
      )
    case 'ArrayPattern':
      return pattern.elements.flatMap(boundNames)
    case 'RestElement':
      return boundNames(pattern.argument)
    case 'AssignmentPattern':
      return boundNames(pattern.left)
    case 'TSParameterProperty':
      return boundNames(pattern.parameter)
    default:
      return []
  }
}

type Scope = { readonly names: Set<string>; readonly parent: Scope | undefined }
type Context = { readonly found: FreeName[]; readonly hasThis: boolean }

function walk(node: Node, scope: Scope, context: Context): void {
  if (isTypeWrapper(node)) {
    walk(node.expression, scope, context)
    return
  }
  if (isType(node)) return
  switch (node.type) {
    case 'Identifier':
      use(node, { scope, context })
      return
    case 'ThisExpression':
      if (!context.hasThis) {
        context.found.push({ name: 'this', node, member: undefined, isWritten: false })
      }
      return
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'ObjectMethod':
    case 'ClassMethod':
    case 'ClassPrivateMethod':
      walkFunction(node, scope, context)
      return
    case 'ClassDeclaration':
    case 'ClassExpression': {
      const inner = below(scope, boundNames(node.id))
      if (node.superClass) walk(node.superClass, inner, context)
      walk(node.body, inner, { ...context, hasThis: true })
      return
    }
    case 'MemberExpression':
    case 'OptionalMemberExpression':
      walkMember(node, { scope, context, isWritten: false })
      return
    case 'AssignmentExpression':
      walkTarget(node.left, scope, context)
      walk(node.right, scope, context)
      return
    case 'UpdateExpression':
      walkTarget(node.argument, scope, context)
      return
    case 'UnaryExpression':
      if (node.operator === 'delete') walkTarget(node.argument, scope, context)
      else walk(node.argument, scope, context)
      return
    case 'ObjectProperty':
    case 'ClassProperty':
    case 'ClassAccessorProperty':
      if (node.computed) walk(node.key, scope, context)
      if (node.value) walk(node.value, scope, context)
      return
    case 'ClassPrivateProperty':
      if (node.value) walk(node.value, scope, context)
      return
    case 'LabeledStatement':
      walk(node.body, scope, context)
      return
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'MetaProperty':
    case 'PrivateName':
      return
    case 'ExportSpecifier':
      walk(node.local, scope, context)
      return
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
      return
    case 'BlockStatement':
    case 'StaticBlock':
      walkAll(node, below(scope, lexicalNames(node.body)), context)
      return
    case 'SwitchStatement': {
      const names = node.cases.flatMap(one => lexicalNames(one.consequent))
      walkAll(node, below(scope, names), context)
      return
    }
    case 'ForStatement':
      walkAll(node, below(scope, node.init ? lexicalNames([node.init]) : []), context)
      return
    case 'ForInStatement':
    case 'ForOfStatement':
      walkAll(node, below(scope, lexicalNames([node.left])), context)
      return
    case 'CatchClause':
      walkAll(node, below(scope, boundNames(node.param)), context)
      return
    default:
      walkAll(node, scope, context)
      return
  }
}

function walkAll(node: Node, scope: Scope, context: Context): void {
  for (const child of childrenOf(node)) walk(child, scope, context)
}

function walkFunction(node: FunctionNode, scope: Scope, context: Context): void {
  if ('computed' in node && node.computed && 'key' in node) walk(node.key, scope, context)
  const own = node.type === 'FunctionExpression' ? boundNames(node.id) : []
  const names = [...own, ...node.params.flatMap(boundNames), ...varNames(node.body)]
  const inner = below(scope, names)
  // `this` and `arguments` are told like names from outside: whoever calls decides what they are.
  for (const one of [...node.params, node.body]) walk(one, inner, context)
}

type Use = { readonly scope: Scope; readonly context: Context; readonly isWritten?: boolean }

function use(
  node: Node & { readonly type: 'Identifier' },
  { scope, context, isWritten }: Use,
): void {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    if (at.names.has(node.name)) return
  }
  const { name } = node
  context.found.push({ name, node, member: undefined, isWritten: isWritten ?? false })
}

function walkMember(
  node: Node & { readonly type: 'MemberExpression' | 'OptionalMemberExpression' },
  { scope, context, isWritten }: Use,
): void {
  if (node.computed) walk(node.property, scope, context)
  const before = context.found.length
  if (isWritten) walkTarget(node.object, scope, context)
  else walk(node.object, scope, context)
  const free = context.found[before]
  if (
    context.found.length !== before + 1 ||
    free === undefined ||
    free.node !== unwrap(node.object)
  )
    return
  const member = memberName(node)
  context.found[before] = { ...free, member }
}

/** What is written: the name that the expression begins with. */
function walkTarget(node: Node, scope: Scope, context: Context): void {
  const target = unwrap(node)
  if (target.type === 'Identifier') use(target, { scope, context, isWritten: true })
  else if (target.type === 'MemberExpression' || target.type === 'OptionalMemberExpression') {
    walkMember(target, { scope, context, isWritten: true })
  } else walk(target, scope, context)
}

function memberName(
  node: Node & { readonly type: 'MemberExpression' | 'OptionalMemberExpression' },
): string | undefined {
  const { property } = node
  if (!node.computed) return property.type === 'Identifier' ? property.name : undefined
  return property.type === 'StringLiteral' ? property.value : undefined
}

const below = (parent: Scope, names: readonly string[]): Scope => ({
  names: new Set(names),
  parent,
})

/** Names that statements declare for the block they stand in. */
const lexicalNames = (statements: readonly Node[]): string[] =>
  statements.flatMap(statement => {
    if (statement.type === 'VariableDeclaration') {
      return statement.declarations.flatMap(({ id }) => boundNames(id))
    }
    const isNamed =
      statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration'
    return isNamed ? boundNames(statement.id) : []
  })

/** Names that `var` declares for the function whose body this is. */
function varNames(node: Node): string[] {
  const names: string[] = []
  if (node.type === 'VariableDeclaration' && node.kind === 'var')
    names.push(...lexicalNames([node]))
  for (const child of childrenOf(node)) {
    if (!child.type.includes('Function') && !child.type.includes('Method')) {
      names.push(...varNames(child))
    }
  }
  return names
}

const isType = ({ type }: Node): boolean =>
  (type.startsWith('TS') && type !== 'TSParameterProperty') || type === 'TypeAnnotation'
