/*
 * `privacy` and `labels`: who sees what, and what may cross which link.
 *
 * What a rule depends on must be known before it is asked: so rules that depend on each other's
 * places in a circle are refused, and a rule may not depend on what has a higher label than what it
 * guards, since a replica below that label does not hold it.
 */
import { type LabelRule, type PathPattern, parsePathPattern } from '@fanfold/document'
import { labelMax, limits } from '@fanfold/protocol'
import { everybody, nobody } from './audience-rules.ts'
import type { DeepReadonly } from './deep.ts'
import { definitionLimits } from './definition-limits.ts'
import type { PrivacyRule, RuleContext } from './edge-definition.ts'
import { isObject, read, strangers } from './members.ts'
import { isLabel } from './observe-policy.ts'
import { anyCount, covers, mayMeet } from './pattern-places.ts'
import { findCycle } from './rule-cycle.ts'
import { unawaited } from './unawaited.ts'

/** A pattern as an author writes it: `/hands/*`. */
export type PatternText = `/${string}`

/** A rule: does this audience see the place that its pattern covers? */
export type RuleFunction<Audience> = (
  audience: DeepReadonly<Audience>,
  context: RuleContext,
) => boolean

/** What an author writes for a pattern: a rule, or one with the paths that it depends on. */
export type RuleSpec<Audience> =
  | RuleFunction<Audience>
  | { readonly reads: readonly PatternText[]; readonly allow: RuleFunction<Audience> }

/** What `privacy` and `labels` say, as far as it is sound, and everything that is wrong with it. */
export type CheckedPrivacy = {
  readonly rules: readonly PrivacyRule[]
  readonly isOpen: boolean
  readonly labels: readonly LabelRule[]
  readonly problems: readonly string[]
}

const whole = '/**'

/** Checks what stands under `privacy` and `labels`. */
export function checkPrivacy(privacy: unknown, labels: unknown): CheckedPrivacy {
  const problems: string[] = []
  const rules: PrivacyRule[] = []
  for (const [text, spec] of entriesOf('privacy', privacy, problems)) {
    if (text === whole) {
      if (spec === nobody || spec === everybody) continue
      problems.push(`privacy.${whole}: it takes nobody or everybody of fanfold, no other rule`)
      continue
    }
    const pattern = patternAt(`privacy.${text}`, text, problems)
    const rule = ruleAt(`privacy.${text}`, spec, problems)
    if (pattern !== undefined && rule !== undefined) rules.push(Object.freeze({ pattern, ...rule }))
  }
  const labelled: Labelled[] = []
  for (const [text, label] of entriesOf('labels', labels, problems)) {
    const pattern = patternAt(`labels.${text}`, text, problems)
    if (!isLabel(label) || label === 0) {
      problems.push(`labels.${text}: an integer, 1 … ${labelMax}`)
    } else if (pattern !== undefined) labelled.push({ pattern, label })
  }
  const used = new Set(labelled.map(({ label }) => label)).size
  if (used > limits.labelsMax.value) {
    problems.push(`labels: at most ${limits.labelsMax.value} different labels, got ${used}`)
  }
  const isOpen = read(privacy, whole) !== nobody
  problems.push(
    ...rules.flatMap(readsProblems),
    ...cycleProblems(rules),
    ...(isOpen ? [] : closedProblems(rules)),
    ...rules.flatMap(rule => readLabelProblems(rule, labelled)),
  )
  return {
    rules: Object.freeze(rules),
    isOpen,
    labels: Object.freeze(
      labelled
        .map(({ pattern, label }) => Object.freeze({ pattern: pattern.text, label }))
        .sort((a, b) => a.label - b.label),
    ),
    problems,
  }
}

type Labelled = { readonly pattern: PathPattern; readonly label: number }

function entriesOf(place: string, holder: unknown, problems: string[]): [string, unknown][] {
  if (holder === undefined) return []
  if (!isObject(holder) || Array.isArray(holder)) {
    problems.push(`${place}: an object with a member for each pattern`)
    return []
  }
  const entries = Object.entries(holder)
  const { value: max } = definitionLimits.rulesMax
  if (entries.length <= max) return entries
  problems.push(`${place}: at most ${max} patterns, got ${entries.length}`)
  return []
}

function patternAt(place: string, text: string, problems: string[]): PathPattern | undefined {
  const pattern = text === '' ? undefined : parsePathPattern(text)
  if (pattern === undefined) problems.push(`${place}: ${patternMeaning}`)
  return pattern
}

const patternMeaning =
  'a pattern is a JSON Pointer to a member, whose segments may be * (and ** only in /** of privacy)'

function ruleAt(
  place: string,
  spec: unknown,
  problems: string[],
): Omit<PrivacyRule, 'pattern'> | undefined {
  if (typeof spec === 'function') return { reads: Object.freeze([]), allow: allowOf(spec) }
  const allow = read(spec, 'allow')
  const reads = read(spec, 'reads')
  if (!isObject(spec) || typeof allow !== 'function' || !Array.isArray(reads)) {
    problems.push(`${place}: a rule is a function, or { reads: [paths], allow: function }`)
    return undefined
  }
  problems.push(...strangers(spec, ['reads', 'allow'], `${place}.`))
  const { value: max } = definitionLimits.readsMax
  if (reads.length > max) {
    problems.push(`${place}.reads: at most ${max} paths, got ${reads.length}`)
    return undefined
  }
  const patterns: PathPattern[] = []
  for (const text of reads) {
    const pattern = typeof text === 'string' ? parsePathPattern(text) : undefined
    if (pattern === undefined) problems.push(`${place}.reads: ${String(text)}: ${readMeaning}`)
    else patterns.push(pattern)
  }
  return { reads: Object.freeze(patterns), allow: allowOf(allow) }
}

const readMeaning = "a path is a JSON Pointer, whose segments may be * for what the rule's * are"

// The two that depend on nothing stay themselves, so that they can be told from the others.
function allowOf(rule: unknown): PrivacyRule['allow'] {
  if (rule === nobody) return nobody
  if (rule === everybody) return everybody
  const ask = rule as (audience: unknown, context: RuleContext) => unknown
  // Whatever else an author's code returns, a promise for one, is not permission.
  return (audience, context) => unawaited(ask(audience, context)) === true
}

function readsProblems({ pattern, reads }: PrivacyRule): string[] {
  const bound = anyCount(pattern)
  return reads
    .filter(one => anyCount(one) > bound)
    .map(one => `privacy.${pattern.text}.reads: ${one.text} has more * than the pattern, ${bound}`)
}

function cycleProblems(rules: readonly PrivacyRule[]): string[] {
  const dependencies = rules.map(({ reads }) =>
    rules.flatMap(({ pattern }, index) =>
      reads.some(one => mayMeet(one, pattern)) ? [index] : [],
    ),
  )
  const cycle = findCycle(dependencies)
  const [first] = cycle ?? []
  if (cycle === undefined || first === undefined) return []
  const names = [...cycle, first].map(index => rules[index]?.pattern.text ?? '')
  return [`privacy.${names[0]}: rules depend on each other: ${names.join(' → ')}`]
}

/** Under a closed default nothing says what the members of a collection are, but a rule for them. */
function closedProblems(rules: readonly PrivacyRule[]): string[] {
  const problems: string[] = []
  for (const { pattern } of rules) {
    const { text, segments } = pattern
    const texts = text.split('/').slice(1)
    for (const [index, segment] of segments.entries()) {
      if (typeof segment === 'string' || index === segments.length - 1) continue
      const at: PathPattern = {
        text: `/${texts.slice(0, index + 1).join('/')}`,
        segments: segments.slice(0, index + 1),
      }
      if (rules.some(rule => covers(rule.pattern, at))) continue
      problems.push(`privacy.${text}: where '/**' is nobody, ${at.text} needs a rule too`)
    }
  }
  return problems
}

function readLabelProblems(
  { pattern, reads }: PrivacyRule,
  labelled: readonly Labelled[],
): string[] {
  const own = highest(labelled.filter(one => covers(one.pattern, pattern)))
  return reads.flatMap(path => {
    const label = highest(labelled.filter(one => mayMeet(one.pattern, path)))
    const at = `privacy.${pattern.text}.reads`
    if (label <= own) return []
    return [
      `${at}: ${path.text} may have label ${label}, and what the rule covers has ${own}: label it ${label}, or read something else`,
    ]
  })
}

const highest = (labelled: readonly Labelled[]): number =>
  Math.max(0, ...labelled.map(({ label }) => label))
