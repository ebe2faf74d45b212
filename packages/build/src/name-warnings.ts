/*
 * Patterns that lead nowhere. A rule on `/hadns` hides nothing, and nothing says so: under an open
 * default that is a leak. What a state begins with tells which names there are at its root.
 */
import { type DocumentDefinition, initialState } from '@fanfold/definition'
import { anySegment, type PathPattern } from '@fanfold/document'
import type { DefinitionLiteral, PatternMember } from './definition-literal.ts'
import { type ParsedModule, problemAt } from './parsed-module.ts'
import type { BuildWarning } from './reach-warnings.ts'

/** Names that are told of, at most. */
const namesMax = 10

/** Warns of patterns whose first name no document of the type begins with. */
export function nameWarnings(
  definition: DocumentDefinition,
  module: ParsedModule,
  { privacy, labels }: DefinitionLiteral,
): BuildWarning[] {
  const made = initialState(definition)
  // A state that fails is told of when a document is created; one without members may get any.
  const names = made.ok ? Object.keys(made.state) : []
  if (names.length === 0) return []
  const shown = names.slice(0, namesMax).join(', ')
  const isThere = ({ segments }: PathPattern): boolean => {
    const [first] = segments
    return first === undefined || first === anySegment || names.includes(first)
  }
  const readsOf = (text: string): readonly PathPattern[] =>
    definition.rules.find(rule => rule.pattern.text === text)?.reads ?? []
  const warningsOf = (place: string, { text, pattern, node }: PatternMember): BuildWarning[] =>
    [pattern, ...readsOf(text)].flatMap(one =>
      one === undefined || isThere(one)
        ? []
        : [
            problemAt(
              module,
              node,
              `${place}.${text}: ${one.text} leads nowhere in a first state, which has ${shown}`,
            ),
          ],
    )
  return [
    ...privacy.flatMap(member => warningsOf('privacy', member)),
    ...labels.flatMap(member => warningsOf('labels', member)),
  ]
}
