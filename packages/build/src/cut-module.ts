/*
 * The cut: a definition's module without what only an authority runs, for one ceiling. What is left
 * decides which declarations and imports of the module stay; the others go with what used them.
 */
import type { Node, ObjectExpression, Statement } from '@babel/types'
import { covers, type JsonSchema } from '@fanfold/definition'
import MagicString from 'magic-string'
import { type DefinitionLiteral, objectOf, type PatternMember } from './definition-literal.ts'
import { freeNames } from './free-names.ts'
import { libraryNames } from './library-names.ts'
import { declaredNames } from './module-names.ts'
import { type ParsedModule, rangeOf } from './parsed-module.ts'

/** What takes the place of the schemas. */
export type Guards = {
  readonly viewState: JsonSchema | undefined
  /** By the reducer's name. */
  readonly reducers: ReadonlyMap<string, JsonSchema>
}

/** A module after the cut. */
export type CutModule = {
  readonly code: string
  /** Names of the module's top level that what is left uses. */
  readonly reached: ReadonlySet<string>
  /** The statements that stay. */
  readonly statements: readonly Statement[]
  /** The literal's members that stay, each with the node to look at. */
  readonly kept: readonly { readonly name: string; readonly node: Node }[]
  /** What was cut out of the literal. */
  readonly cut: readonly string[]
}

/** Cuts for links and edges that may hold labels up to `ceiling`. */
export function cutModule(
  module: ParsedModule,
  definition: DefinitionLiteral,
  { ceiling, guards }: { readonly ceiling: number; readonly guards: Guards },
): CutModule {
  const text = new MagicString(module.text)
  const cut: string[] = []
  const kept: { name: string; node: Node }[] = []
  const guardName = freshName(module.text)

  const decide = (name: string, node: Node, fate: Fate): Fate => {
    if (fate === 'cut') cut.push(name)
    else kept.push({ name, node: fate === 'keep' ? node : emptyNode })
    return fate
  }
  const above = definition.labels.filter(({ label }) => label > ceiling)
  const isAbove = ({ pattern }: PatternMember): boolean =>
    pattern !== undefined &&
    above.some(one => one.pattern !== undefined && covers(one.pattern, pattern))
  const cutPatterns = (place: 'privacy' | 'labels', isCut: (one: PatternMember) => boolean) => {
    const literal = objectOf(definition.members.get(place))
    if (literal === undefined) return
    const fates = new Map<Node, Fate>()
    for (const one of definition[place]) {
      fates.set(one.node, decide(`${place}.${one.text}`, one.node, isCut(one) ? 'cut' : 'keep'))
    }
    rewrite(text, literal, node => fates.get(node) ?? 'keep')
  }

  const fates = new Map<Node, Fate>()
  for (const [name, node] of definition.members) {
    if (authorityOnly.has(name)) fates.set(node, decide(name, node, 'cut'))
    else if (name === 'viewState') {
      fates.set(node, decide(name, node, guardText(name, guardName, guards.viewState)))
    } else if (!nested.has(name)) fates.set(node, decide(name, node, 'keep'))
  }
  rewrite(text, definition.literal, node => fates.get(node) ?? 'keep')
  cutPatterns('privacy', isAbove)
  cutPatterns('labels', ({ label }) => label > ceiling)
  for (const { place, name, literal, members } of definition.reducers) {
    const fateOf = (member: string): Fate => {
      if (member === 'apply') return 'cut'
      return member === 'message' ? guardText(member, guardName, guards.reducers.get(name)) : 'keep'
    }
    const own = new Map<Node, Fate>()
    for (const [member, node] of members) {
      own.set(node, decide(`${place}.${name}.${member}`, node, fateOf(member)))
    }
    rewrite(text, literal, node => own.get(node) ?? 'keep')
  }

  const { names } = definition
  const reached = names.reach(kept.flatMap(({ node }) => freeNames(node)).map(({ name }) => name))
  const isOurs = (name: string): boolean => {
    const { imported, source } = names.imports.get(name) ?? { imported: '', source: '' }
    return libraryNames.includes(source) && ourWords.includes(imported)
  }
  const isCalled = (name: string): boolean => reached.has(name) || isOurs(name)
  const statements = module.program.body.filter(statement =>
    keepStatement(text, statement, isCalled),
  )
  if ([...fates.values()].some(isGuard) || definition.reducers.length > 0) {
    text.append(`\nimport { guard as ${guardName} } from 'fanfold'\n`)
  }
  return { code: text.toString(), reached, statements, kept, cut }
}

/** Members that an edge gets nothing of. */
const authorityOnly: ReadonlySet<string> = new Set(['state', 'messages', 'presence', 'crowd'])

/** Members whose own members are decided one by one. */
const nested: ReadonlySet<string> = new Set(['privacy', 'labels', 'reducers', 'watched'])

/** What is called in what is left of the literal. */
const ourWords: readonly string[] = ['defineDocument', 'reducer', 'watched']

/** What becomes of a member: it goes, stays, or another text takes its place. */
type Fate = 'cut' | 'keep' | { readonly text: string }

const isGuard = (fate: Fate): boolean => typeof fate === 'object'

const emptyNode: Node = { type: 'EmptyStatement' }

const guardText = (name: string, guardName: string, schema: JsonSchema | undefined): Fate => ({
  text: `${name}: ${guardName}(${JSON.stringify(schema ?? false)})`,
})

/** A name that the text does not have. */
function freshName(text: string): string {
  let name = 'guard'
  while (text.includes(name)) name += '_'
  return name
}

/** Writes an object literal anew: only the members that stay, a comma between each two. */
function rewrite(text: MagicString, literal: ObjectExpression, fateOf: (node: Node) => Fate): void {
  const { start, end } = rangeOf(literal)
  let from = start + 1
  for (const property of literal.properties) {
    const range = rangeOf(property)
    if (range.start > from) text.remove(from, range.start)
    const fate = fateOf(property)
    if (fate === 'cut') text.remove(range.start, range.end)
    else {
      if (fate !== 'keep') text.update(range.start, range.end, fate.text)
      text.appendLeft(range.end, ',')
    }
    from = range.end
  }
  if (end - 1 > from) text.remove(from, end - 1)
}

/** Removes a statement, or the imported names in it, that nobody uses; true when it stays. */
function keepStatement(
  text: MagicString,
  statement: Statement,
  isUsed: (name: string) => boolean,
): boolean {
  if (statement.type === 'ExportDefaultDeclaration') return true
  if (statement.type === 'ImportDeclaration') {
    const locals = statement.specifiers.map(({ local }) => local.name)
    const unused = locals.filter(name => !isUsed(name))
    if (statement.specifiers.length > 0 && unused.length === locals.length) {
      return drop(text, statement)
    }
    if (unused.length > 0) {
      const specifiers = statement.specifiers.filter(({ local }) => isUsed(local.name))
      text.update(...endsOf(statement), importText(text.original, statement, specifiers))
    }
    return true
  }
  const declared = declaredNames(statement)
  if (declared.length > 0) return declared.some(isUsed) ? true : drop(text, statement)
  const isExport = statement.type === 'ExportNamedDeclaration' && !statement.declaration
  return isExport ? drop(text, statement) : true
}

function drop(text: MagicString, statement: Statement): false {
  text.remove(...endsOf(statement))
  return false
}

function endsOf(node: Node): [start: number, end: number] {
  const { start, end } = rangeOf(node)
  return [start, end]
}

type Import = Statement & { readonly type: 'ImportDeclaration' }

function importText(original: string, statement: Import, specifiers: Import['specifiers']): string {
  const textOf = (node: Node): string => original.slice(...endsOf(node))
  const apart = specifiers.filter(({ type }) => type !== 'ImportSpecifier').map(textOf)
  const named = specifiers.filter(({ type }) => type === 'ImportSpecifier').map(textOf)
  const clauses = named.length === 0 ? apart : [...apart, `{ ${named.join(', ')} }`]
  // What stands behind the specifier says how the module is to be read.
  const rest = original.slice(rangeOf(statement.source).start, rangeOf(statement).end)
  return `import ${clauses.join(', ')} from ${rest}`
}
