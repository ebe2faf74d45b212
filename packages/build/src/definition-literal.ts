/*
 * The one literal of a definition's module, read from its syntax tree. What cannot be read off the
 * text is refused: only what stands there in so many words can be cut with certainty.
 */
import type { Expression, Node, ObjectExpression, ObjectMethod, ObjectProperty } from '@babel/types'
import { type PathPattern, parsePathPattern } from '@fanfold/document'
import { BuildError, type BundleProblem } from './build-error.ts'
import { libraryNames } from './library-names.ts'
import { ModuleNames } from './module-names.ts'
import { type ParsedModule, problemAt, unwrap } from './parsed-module.ts'

/** A member of an object literal: a property or a method. */
export type Member = ObjectProperty | ObjectMethod

/** One pattern under `privacy` or `labels`; `/**` has none. */
export type PatternMember = {
  readonly text: string
  readonly pattern: PathPattern | undefined
  readonly node: Member
  /** Under `labels`; 0 under `privacy`. */
  readonly label: number
}

/** One of `reducers` or of `watched`. */
export type ReducerMember = {
  readonly place: ReducerPlace
  readonly name: string
  readonly literal: ObjectExpression
  readonly members: ReadonlyMap<string, Member>
}

/** Where what is summed up stands. */
export type ReducerPlace = 'reducers' | 'watched'

/** The literal, member by member. */
export type DefinitionLiteral = {
  readonly names: ModuleNames
  readonly literal: ObjectExpression
  readonly members: ReadonlyMap<string, Member>
  readonly privacy: readonly PatternMember[]
  readonly labels: readonly PatternMember[]
  readonly reducers: readonly ReducerMember[]
}

/** The members that a definition may have. */
const known: ReadonlySet<string> = new Set([
  'type',
  'state',
  'messages',
  'reducers',
  'watched',
  'presence',
  'crowd',
  'observe',
  'privacy',
  'labels',
  'viewState',
  'view',
])
const methods: ReadonlySet<string> = new Set(['state', 'view'])

/** @throws BuildError with everything in the literal that cannot be read */
export function readLiteral(module: ParsedModule): DefinitionLiteral {
  const reader = new LiteralReader(module)
  const literal = reader.literal()
  const members = literal === undefined ? new Map() : reader.members(literal, known, methods)
  const privacy = reader.patterns(members.get('privacy'), false)
  const labels = reader.patterns(members.get('labels'), true)
  const reducers = [
    ...reader.reducers('reducers', members.get('reducers')),
    ...reader.reducers('watched', members.get('watched')),
  ]
  if (literal === undefined || reader.problems.length > 0) throw new BuildError(reader.problems)
  return { names: reader.names, literal, members, privacy, labels, reducers }
}

/** The object literal that a member's value is; shared with the cut, which edits it. */
export function objectOf(member: Member | undefined): ObjectExpression | undefined {
  if (member?.type !== 'ObjectProperty') return undefined
  const value = unwrap(member.value)
  return value.type === 'ObjectExpression' ? value : undefined
}

/** The name of a member that stands there in so many words. */
export function memberName({ key, computed }: Member): string | undefined {
  if (computed) return undefined
  if (key.type === 'Identifier') return key.name
  return key.type === 'StringLiteral' ? key.value : undefined
}

class LiteralReader {
  readonly problems: BundleProblem[] = []
  readonly names: ModuleNames
  readonly #module: ParsedModule

  constructor(module: ParsedModule) {
    this.#module = module
    this.names = new ModuleNames(module)
  }

  literal(): ObjectExpression | undefined {
    let found: Node | undefined
    for (const statement of this.#module.program.body) {
      if (statement.type === 'ExportAllDeclaration') {
        this.#refuse(statement, 'export * says nothing about what it exports: name it')
      } else if (statement.type === 'ExportNamedDeclaration') {
        const named = statement.specifiers.find(({ exported }) => nameOf(exported) === 'default')
        if (named) this.#refuse(named, `the default is ${wanted}`)
      } else if (statement.type === 'ExportDefaultDeclaration') {
        if (found !== undefined) this.#refuse(statement, 'there is one default export')
        found = statement.declaration
      }
    }
    if (found === undefined) {
      if (this.problems.length === 0) this.#refuse(this.#module.program, `must ${wanted}`)
      return undefined
    }
    const call = unwrap(found)
    const argument = call.type === 'CallExpression' ? call.arguments[0] : undefined
    if (call.type !== 'CallExpression' || !this.#isOurs(call.callee, 'defineDocument')) {
      this.#refuse(found, `must ${wanted}, with defineDocument imported by name from 'fanfold'`)
    } else if (argument === undefined || call.arguments.length > 1) {
      this.#refuse(call, 'defineDocument takes one object literal')
    } else {
      const literal = unwrap(argument)
      if (literal.type === 'ObjectExpression') return literal
      this.#refuse(argument, 'defineDocument takes an object literal, written out in its place')
    }
    return undefined
  }

  /** The members by name; only those of `methods` may be written as methods. */
  members(
    literal: ObjectExpression,
    names: ReadonlySet<string> | undefined,
    mayBeMethods: ReadonlySet<string> | undefined,
  ): Map<string, Member> {
    const members = new Map<string, Member>()
    for (const node of literal.properties) {
      const name = node.type === 'SpreadElement' ? undefined : memberName(node)
      if (node.type === 'SpreadElement') this.#refuse(node, `a spread hides what ${inIt}`)
      else if (name === undefined)
        this.#refuse(node, `a computed or numeric key hides what ${inIt}`)
      else if (node.type === 'ObjectMethod' && !isPlainMethod(node)) {
        this.#refuse(node, `${name} is a getter, a setter, async or a generator`)
      } else if (node.type === 'ObjectMethod' && mayBeMethods?.has(name) === false) {
        this.#refuse(node, `${name} is no method`)
      } else if (members.has(name)) this.#refuse(node, `${name} is there twice`)
      else if (name === '__proto__' || names?.has(name) === false) {
        this.#refuse(node, `this version knows no member ${name}`)
      } else members.set(name, node)
    }
    return members
  }

  patterns(member: Member | undefined, areLabels: boolean): PatternMember[] {
    if (member === undefined) return []
    const place = areLabels ? 'labels' : 'privacy'
    const literal = objectOf(member)
    if (literal === undefined) {
      this.#refuse(member, `${place} is an object literal, written out in its place`)
      return []
    }
    return [...this.members(literal, undefined, undefined)].flatMap(([text, node]) => {
      if (node.key.type !== 'StringLiteral') {
        this.#refuse(node.key, `a pattern is a string literal: '/${text}'`)
        return []
      }
      const pattern = parsePathPattern(text)
      const label = areLabels ? this.#label(node) : 0
      return [{ text, pattern, node, label }]
    })
  }

  /** What is summed up, each made by the word of its place. */
  reducers(place: ReducerPlace, member: Member | undefined): ReducerMember[] {
    if (member === undefined) return []
    const outer = objectOf(member)
    if (outer === undefined) {
      this.#refuse(member, `${place} is an object literal, written out in its place`)
      return []
    }
    const { word, first } = declared[place]
    const known = new Set([first, 'of', 'into', 'apply'])
    return [...this.members(outer, undefined, new Set())].flatMap(([name, node]) => {
      const call = node.type === 'ObjectProperty' ? unwrap(node.value) : node
      const isReducer =
        call.type === 'CallExpression' &&
        this.#isOurs(call.callee, word) &&
        call.arguments.length === 1
      const literal = isReducer && call.arguments[0] ? unwrap(call.arguments[0]) : undefined
      if (literal?.type !== 'ObjectExpression') {
        const wanted = `${word}({ ${[...known].join(', ')} })`
        this.#refuse(node, `${place}.${name} is ${wanted}, written out in its place`)
        return []
      }
      return [{ place, name, literal, members: this.members(literal, known, new Set(['apply'])) }]
    })
  }

  #label(node: Member): number {
    const value: Node | undefined = node.type === 'ObjectProperty' ? unwrap(node.value) : undefined
    if (value?.type === 'NumericLiteral') return value.value
    this.#refuse(node, 'a label is a number literal')
    return 0
  }

  /** True for a name that is imported from the library. */
  #isOurs(callee: Expression | Node, name: string): boolean {
    const target = unwrap(callee)
    const found = target.type === 'Identifier' ? this.names.imports.get(target.name) : undefined
    return found?.imported === name && libraryNames.includes(found.source)
  }

  #refuse(node: Node, message: string): void {
    this.problems.push(problemAt(this.#module, node, message))
  }
}

/** The word that each one under a place is made by, and what only that takes. */
const declared = {
  reducers: { word: 'reducer', first: 'message' },
  watched: { word: 'watched', first: 'everyMs' },
} as const
const wanted = 'export default defineDocument({ … })'
const inIt = 'the literal says and what is to be cut: write each member out'

const isPlainMethod = ({ kind, async, generator }: ObjectMethod): boolean =>
  kind === 'method' && !async && !generator

const nameOf = (node: Node): string =>
  node.type === 'Identifier' ? node.name : node.type === 'StringLiteral' ? node.value : ''
