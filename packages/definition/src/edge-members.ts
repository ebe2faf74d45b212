/* The members of a literal that an edge needs: checked here for a definition and for an edge variant. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { DeepReadonly } from './deep.ts'
import type { EdgeDefinition, ViewFunction } from './edge-definition.ts'
import { read, schemaProblem } from './members.ts'
import { type ObserveSpec, observePolicyOf, observeProblems } from './observe-policy.ts'
import { checkPrivacy, type PatternText, type RuleSpec } from './privacy-rules.ts'
import { unawaited } from './unawaited.ts'

/**
 * What an author writes for edges.
 *
 * `observe` stands before what depends on the audience: the compiler reads the literal in order.
 */
export type EdgeSpec<
  Audience,
  Patterns extends PatternText,
  Labelled extends PatternText,
  ViewStateSchema extends StandardSchemaV1,
  Visible,
  View,
> = {
  /** Who may observe, and as whom. Left out: nobody may. */
  readonly observe?: ObserveSpec<Audience> | undefined
  /**
   * Who sees what is at and below the places of a pattern. A value is seen by those whom every rule
   * on its path allows; one without a rule by all, unless `'/**'` is `nobody`.
   */
  readonly privacy?: { readonly [Pattern in Patterns]: RuleSpec<Audience> } | undefined
  /**
   * The labels of what is at and below the places of a pattern, 1 … 239; 0 where there is none. What
   * has a label crosses no link whose trust ceiling is lower, and is seen with clearance for it only.
   */
  readonly labels?: { readonly [Pattern in Labelled]: number } | undefined
  /** What viewers may say of what they look at, if they do; `view` depends on it, and what is `watched`. */
  readonly viewState?: ViewStateSchema | undefined
  /** What viewers get, made of what is visible to them: a JSON object. Left out: just that. */
  readonly view?:
    | ((
        visible: DeepReadonly<Visible>,
        audience: DeepReadonly<Audience>,
        viewState: DeepReadonly<StandardSchemaV1.InferInput<ViewStateSchema>> | undefined,
      ) => View)
    | undefined
}

/** The names of the members. */
export const edgeMembers: readonly string[] = ['observe', 'privacy', 'labels', 'viewState', 'view']

/** What the members say, as far as it is sound, and everything that is wrong with them. */
export type CheckedEdge = {
  readonly edge: Omit<EdgeDefinition, 'type' | 'reducers' | 'watched'>
  readonly problems: readonly string[]
}

/** Checks a literal's members for edges. */
export function checkEdge(spec: object): CheckedEdge {
  const observe = read(spec, 'observe')
  const view = read(spec, 'view')
  const viewState = read(spec, 'viewState')
  const { problems: privacyProblems, ...privacy } = checkPrivacy(
    read(spec, 'privacy'),
    read(spec, 'labels'),
  )
  const problems = [...observeProblems(observe), ...privacyProblems]
  if (view !== undefined && typeof view !== 'function') {
    problems.push('view: a function of what is visible, the audience and the view state')
  }
  if (viewState !== undefined) {
    const problem = schemaProblem(viewState)
    if (problem !== undefined) problems.push(`viewState: ${problem}`)
    else if (view === undefined && read(spec, 'watched') === undefined) {
      problems.push('viewState: there is no view that depends on it, and nothing is watched')
    }
  }
  if (problems.length > 0) return { edge: nothing, problems }
  return {
    edge: {
      ...privacy,
      // Each has been checked to be what its type says.
      observe: observePolicyOf(observe as ObserveSpec<unknown> | undefined),
      view: viewOf(view as ViewFunction | undefined),
      viewState: viewState as StandardSchemaV1 | undefined,
    },
    problems,
  }
}

const viewOf = (view: ViewFunction | undefined): ViewFunction | undefined =>
  view && ((visible, audience, viewState): unknown => unawaited(view(visible, audience, viewState)))

const nothing: CheckedEdge['edge'] = Object.freeze({
  observe: undefined,
  rules: [],
  isOpen: false,
  labels: [],
  view: undefined,
  viewState: undefined,
})
