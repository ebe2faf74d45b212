/* What one sees of one state by one definition, worked out by `naiveView`, the measure of views. */
import type { EdgeDefinition } from '@fanfold/definition'
import { canonicalJson, type JsonObject, type JsonValue } from '@fanfold/document'
import { naiveView } from '@fanfold/privacy'
import type { ErrorCode, Grants } from '@fanfold/protocol'
import { plainMarkers } from './marker.ts'
import { isSameJson } from './same-json.ts'

/** Who looks, and from behind which ceiling. */
export type Looker = { readonly grants: Grants; readonly ceiling: number }

/** What there is to see. */
export type Sight =
  | SeenSight
  | { readonly kind: 'refused'; readonly code: ErrorCode }
  /** The author's code fails: what was seen last stays. */
  | { readonly kind: 'failed' }
  /** There is no document yet, or nobody can be shown it. */
  | { readonly kind: 'absent' }
  /** There is no document any more. */
  | { readonly kind: 'deleted' }

/** A view as it has to be. */
export class SeenSight {
  readonly kind = 'seen'
  readonly view: JsonObject
  readonly json: string
  /** Whether the state is seen as it is by the words of the definition, whatever it is. */
  readonly isPlain: boolean
  /** Whether a rule fails, which it may do unasked where a view does not look there. */
  readonly mayFail: boolean
  #markers: ReadonlySet<string> | undefined

  constructor(view: JsonObject, isPlain: boolean, mayFail: boolean) {
    this.view = view
    this.json = JSON.stringify(view)
    this.isPlain = isPlain
    this.mayFail = mayFail
  }

  /** Equal exactly for equal views. */
  get canonical(): string {
    return canonicalJson(this.view)
  }

  get markers(): ReadonlySet<string> {
    this.#markers ??= new Set(plainMarkers(this.json))
    return this.#markers
  }
}

/** Two views that are equal; most that are not have texts of different lengths. */
export const isEqualView = (a: SeenSight, b: SeenSight): boolean =>
  a.json === b.json || (a.json.length === b.json.length && isSameJson(a.view, b.view))

/** What rules know of one who is let in. */
export type Admitted = {
  readonly kind: 'admitted'
  readonly audience: JsonValue
  readonly clearance: number
  readonly viewState: JsonValue | undefined
  readonly key: string
}

/** Whether a definition lets somebody in; a view state that it does not take is none. */
export function admit(
  { observe, viewState: schema }: EdgeDefinition,
  { grants, ceiling }: Looker,
  given: unknown,
): Admitted | Extract<Sight, { kind: 'refused' }> {
  const viewer = { id: grants.subject, claims: grants.claims }
  if (observe?.allow(viewer) !== true) return { kind: 'refused', code: 'FANFOLD_FORBIDDEN' }
  const audience = asJson(observe.audience(viewer)) ?? null
  const clearance = observe.clearance(audience)
  if (clearance > ceiling) return { kind: 'refused', code: 'FANFOLD_ABOVE_CEILING' }
  const result = given === undefined ? undefined : schema?.['~standard'].validate(given)
  const isTaken = result !== undefined && !('then' in result) && result.issues === undefined
  const viewState = isTaken ? asJson(result.value) : undefined
  const key = JSON.stringify([audience, clearance, viewState ?? null])
  return { kind: 'admitted', audience, clearance, viewState, key }
}

/** What one who is let in sees of a state. */
export function see(
  definition: EdgeDefinition,
  state: JsonObject,
  { audience, clearance, viewState }: Admitted,
  isPlain: boolean,
): Sight {
  const cohort = { audience, clearance, viewState }
  try {
    return new SeenSight(naiveView(definition, state, cohort), isPlain, false)
  } catch {
    if (definition.view === undefined) return { kind: 'failed' }
    return new SeenSight(naiveView(withoutThrows(definition), state, cohort), isPlain, true)
  }
}

/** The definition with rules that deny where they would throw. */
const withoutThrows = (definition: EdgeDefinition): EdgeDefinition => ({
  ...definition,
  rules: definition.rules.map(rule => ({
    ...rule,
    allow: (audience, context) => {
      try {
        return rule.allow(audience, context)
      } catch {
        return false
      }
    },
  })),
})

/** Whether somebody of this clearance sees every state as it is. */
export const isPlain = (definition: EdgeDefinition, clearance: number): boolean =>
  definition.isOpen &&
  definition.view === undefined &&
  definition.rules.length === 0 &&
  definition.labels.every(({ label }) => label <= clearance)

const asJson = (value: unknown): JsonValue | undefined =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value))
