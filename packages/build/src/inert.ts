/*
 * Code that does nothing when its module is evaluated. A bundler keeps what might do something, used
 * or not; only where nothing does, what nobody uses is sure to be gone.
 */
import type { Class, Expression, Node, Statement } from '@babel/types'
import type { BundleProblem } from './build-error.ts'
import { isTypeWrapper, type ParsedModule, problemAt } from './parsed-module.ts'

/** True for an expression whose evaluation does nothing but make its value. */
function isInert(node: Node | null | undefined): boolean {
  if (node === null || node === undefined) return true
  if (isTypeWrapper(node)) return isInert(node.expression)
  switch (node.type) {
    case 'StringLiteral':
    case 'NumericLiteral':
    case 'BooleanLiteral':
    case 'NullLiteral':
    case 'BigIntLiteral':
    case 'RegExpLiteral':
    case 'Identifier':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return true
    case 'TemplateLiteral':
      return node.expressions.every(isInert)
    case 'ArrayExpression':
      return node.elements.every(isInert)
    case 'ObjectExpression':
      return node.properties.every(
        one =>
          one.type !== 'SpreadElement' &&
          !one.computed &&
          (one.type !== 'ObjectProperty' || isInert(one.value)),
      )
    case 'UnaryExpression':
      return node.operator !== 'delete' && node.operator !== 'throw' && isInert(node.argument)
    case 'BinaryExpression':
      return (
        node.operator !== 'in' &&
        node.operator !== 'instanceof' &&
        isInert(node.left) &&
        isInert(node.right)
      )
    case 'LogicalExpression':
      return isInert(node.left) && isInert(node.right)
    case 'ConditionalExpression':
      return isInert(node.test) && isInert(node.consequent) && isInert(node.alternate)
    case 'ClassExpression':
      return isInertClass(node)
    default:
      return false
  }
}

/** True for a class that does nothing when it is declared, as a bundler can tell. */
function isInertClass({ superClass, body, decorators }: Class): boolean {
  const isPlain = decorators === null || decorators === undefined
  if (!isPlain || (superClass && superClass.type !== 'Identifier')) return false
  return body.body.every(member => {
    if (member.type === 'StaticBlock') return false
    if ('computed' in member && member.computed) return false
    const isStatic = 'static' in member && member.static === true
    return !isStatic || !('value' in member) || !member.value || isPlainInitialiser(member.value)
  })
}

/** What a statement of a module does when it is evaluated, in a sentence; `undefined` for nothing. */
function effectOf(statement: Statement): string | undefined {
  if (isTypeStatement(statement)) return undefined
  switch (statement.type) {
    case 'FunctionDeclaration':
    case 'EmptyStatement':
    case 'ExportAllDeclaration':
      return undefined
    case 'ImportDeclaration':
      return statement.specifiers.length === 0 && statement.importKind !== 'type'
        ? 'an import without names runs a module for what it does'
        : undefined
    case 'ClassDeclaration':
      return isInertClass(statement) ? undefined : 'the class does something when it is declared'
    case 'VariableDeclaration':
      return statement.declarations.every(
        ({ id, init }) => id.type === 'Identifier' && isInert(init),
      )
        ? undefined
        : notPlain
    case 'ExportNamedDeclaration':
      return statement.declaration ? effectOf(statement.declaration) : undefined
    case 'ExportDefaultDeclaration': {
      const { declaration } = statement
      const isStatement =
        declaration.type === 'FunctionDeclaration' ||
        declaration.type === 'ClassDeclaration' ||
        declaration.type === 'TSDeclareFunction'
      if (isStatement) return effectOf(declaration)
      return isInert(declaration) ? undefined : notPlain
    }
    case 'TSEnumDeclaration':
      return 'an enum is code that runs; use a type and constants'
    case 'TSModuleDeclaration':
      return 'a namespace is code that runs; use modules'
    default:
      return 'a statement that does something'
  }
}

/** True for what is gone at run time. */
function isTypeStatement(statement: Statement): boolean {
  return (
    statement.type === 'TSInterfaceDeclaration' ||
    statement.type === 'TSTypeAliasDeclaration' ||
    statement.type === 'TSDeclareFunction' ||
    ('declare' in statement && statement.declare === true)
  )
}

/** Every statement of a module that does something when it is evaluated. */
export const effectProblems = (
  module: ParsedModule,
  statements: readonly Statement[] = module.program.body,
): BundleProblem[] =>
  statements.flatMap(statement => {
    const effect = effectOf(statement)
    return effect === undefined ? [] : [problemAt(module, statement, `${effect}: ${rule}`)]
  })

/** A schema is what most often stands there. */
const notPlain = 'the value is not a literal, a function, or made of such, as a schema is not'

const rule =
  'make it in the function that needs it, or in a module that only messages import; what edges load only declares, so that what they do not use is sure to be left out'

/**
 * The initialisers of a module that are inert though a bundler cannot tell, a template for one: it is
 * told, by a call that it may drop when nobody uses the value.
 */
export function initialisersOf({ program }: ParsedModule): Expression[] {
  return program.body.flatMap(statement => {
    const declaration =
      statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declaration?.type !== 'VariableDeclaration' || effectOf(declaration) !== undefined)
      return []
    return declaration.declarations.flatMap(({ init }) =>
      init && !isPlainInitialiser(init) ? [init] : [],
    )
  })
}

const isPlainInitialiser = ({ type }: Node): boolean =>
  (type.endsWith('Literal') && type !== 'TemplateLiteral') ||
  type === 'ArrowFunctionExpression' ||
  type === 'FunctionExpression'
