/* The rules under `messages`, `reducers` and `watched`: each one declared under a name of its own. */
import { forbiddenKeys } from '@fanfold/document'
import { isObject, read, schemaProblem } from './members.ts'
import { isDeclaration } from './message.ts'
import { reductionProblem } from './reductions/reduction.ts'
import { mergingOf } from './reductions/shapes.ts'
import { watchedEveryMsProblem } from './watched.ts'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.~-]{0,79}$/

/** What a name is. */
export const nameMeaning = '1 to 80 of A-Z a-z 0-9 _ . ~ -, the first a letter or digit'

/** True for what a type or a rule may be called. */
export const isRuleName = (name: unknown): name is string =>
  typeof name === 'string' && namePattern.test(name)

/** Everything that is wrong with what stands under `messages`. */
export function messagesProblems(messages: unknown): string[] {
  if (isObject(messages)) return ruleProblems('messages', messages, messageProblem)
  return ['messages: an object of message(schema, handler)']
}

/** Everything that is wrong with what stands under `reducers` and `watched`, in a definition or what is left of it. */
export function reducersProblems(spec: object): string[] {
  const [reducers, watched] = [read(spec, 'reducers') ?? {}, read(spec, 'watched') ?? {}]
  if (!isObject(reducers)) return ['reducers: an object of reducer({ … })']
  if (!isObject(watched)) return ['watched: an object of watched({ … })']
  const problems = [
    ...ruleProblems('reducers', reducers, reducerProblem),
    ...ruleProblems('watched', watched, watchedProblem),
  ]
  if (Reflect.ownKeys(watched).length > 0 && read(spec, 'viewState') === undefined) {
    problems.push('watched: it is view states that are watched, and there is no viewState')
  }
  for (const name of Object.keys(watched)) {
    // What comes up says a name, and not where it stands.
    if (Object.hasOwn(reducers, name)) problems.push(`watched.${name}: a reducer has this name`)
  }
  return problems
}

function ruleProblems(
  place: string,
  declarations: object,
  problemOf: (rule: unknown) => string | undefined,
): string[] {
  const problems: string[] = []
  for (const name of Reflect.ownKeys(declarations)) {
    const at = `${place}.${String(name)}`
    if (!isRuleName(name) || forbiddenKeys.has(name)) {
      problems.push(`${at}: a name is ${nameMeaning}`)
      continue
    }
    const declaration = read(declarations, name)
    const problem = problemOf(isDeclaration(declaration) ? declaration() : undefined)
    if (problem !== undefined) problems.push(`${at}: ${problem}`)
  }
  return problems
}

function messageProblem(rule: unknown): string | undefined {
  if (!isObject(rule) || !('handler' in rule)) return 'made by message(schema, handler)'
  if (typeof rule.handler !== 'function') return 'the handler is a function'
  return schemaProblem(read(rule, 'schema'))
}

function reducerProblem(rule: unknown): string | undefined {
  if (!isObject(rule) || !('into' in rule) || !('schema' in rule)) {
    return 'made by reducer({ message, of, into, apply })'
  }
  if (typeof read(rule, 'of') !== 'function') return 'of: a function of the message'
  return sumProblem(rule, rule.into) ?? schemaProblem(rule.schema)
}

function watchedProblem(rule: unknown): string | undefined {
  if (!isObject(rule) || !('into' in rule) || !('everyMs' in rule)) {
    return 'made by watched({ everyMs, of, into, apply })'
  }
  if (typeof read(rule, 'of') !== 'function') return 'of: a function of the view state'
  return sumProblem(rule, rule.into) ?? watchedEveryMsProblem(rule.everyMs)
}

/** What is wrong with how something is summed up, and with what is done with a sum. */
function sumProblem(rule: object, into: unknown): string | undefined {
  const problem = reductionProblem(into)
  if (problem !== undefined) return problem
  // By a shape of the library tiers would merge sums that are not the library's.
  const shape = String(read(into, 'shape'))
  if (!shape.startsWith('own/') && mergingOf(shape) === undefined) {
    return `into: the shape of a reduction of one's own begins with own/, got ${shape}`
  }
  // An edge has none.
  const hasApply = !('apply' in rule) || typeof rule.apply === 'function'
  return hasApply ? undefined : 'apply: a function of the state and the sum'
}

/** The declared rules, by name. */
export function rulesOf(declarations: { readonly [name: string]: () => unknown }): object {
  // Without a prototype: a name that a writer made up finds nothing.
  const rules: { [name: string]: unknown } = Object.create(null)
  for (const [name, declaration] of Object.entries(declarations)) rules[name] = declaration()
  return Object.freeze(rules)
}
