/*
 * Whether a viewer may observe, and as whom: what its token says, put to the definition's policy.
 *
 * Author's code runs here and may do anything; all that comes of a throw, or of an answer that is not
 * what it must be, is that the viewer is refused with a fixed sentence. What was thrown is for the log.
 */

import type { EdgeDefinition, ObservePolicy } from '@fanfold/definition'
import { adoptReturned, canonicalJson, documentLimits, type JsonValue } from '@fanfold/document'
import { encodeUtf8 } from '@fanfold/kernel'
import { type DocumentKey, type ErrorCode, type Grants, labelMax, limits } from '@fanfold/protocol'

/** A viewer as its cohort sees it, or why it is refused. */
export type Admission =
  | {
      readonly ok: true
      /** Frozen. */
      readonly audience: JsonValue
      readonly clearance: number
      /** As the schema returned it, frozen. */
      readonly viewState: JsonValue | undefined
      /** Equal exactly for viewers that see the same. */
      readonly key: string
    }
  | Refusal

/** Why a viewer is refused. */
export type Refusal = {
  readonly ok: false
  readonly code: ErrorCode
  readonly message: string
  /** Where the author's code failed, and with what; never for viewers. */
  readonly failure?: { readonly place: string; readonly error: unknown }
}

/** Puts a viewer to the policy. */
export function admit(options: {
  readonly doc: DocumentKey
  readonly definition: EdgeDefinition
  readonly policy: ObservePolicy
  readonly grants: Grants
  /** Highest label that the edge has of the document. */
  readonly ceiling: number
  readonly viewState: JsonValue | undefined
  /** Whether a view state that is refused is none instead: the definition has changed under it. */
  readonly isViewStateOptional: boolean
}): Admission {
  const { doc, definition, policy, grants, ceiling } = options
  const viewer = { id: grants.subject, claims: grants.claims }
  const allowed = attempt('observe.allow', () => policy.allow(viewer) === true)
  if (!allowed.ok) return allowed
  if (!allowed.value) return refusal('FANFOLD_FORBIDDEN', `you may not observe ${doc}`)
  const audience = attempt('observe.audience', () =>
    boundedJson(policy.audience(viewer), limits.audienceBytesMax.value),
  )
  if (!audience.ok) return audience
  const clearance = attempt('observe.clearance', () => asLabel(policy.clearance(audience.value)))
  if (!clearance.ok) return clearance
  if (clearance.value > ceiling) {
    const message = `more of ${doc} is for you than may enter this region`
    return refusal('FANFOLD_ABOVE_CEILING', message)
  }
  const given = admitViewState(definition, options.viewState)
  const viewState =
    given.ok || !options.isViewStateOptional ? given : admitViewState(definition, undefined)
  if (!viewState.ok) return viewState
  return {
    ok: true,
    audience: audience.value,
    clearance: clearance.value,
    viewState: viewState.value,
    key: canonicalJson(
      viewState.value === undefined ? [audience.value] : [audience.value, viewState.value],
    ),
  }
}

/** A view state as it came, if it is JSON within its limit; undefined for none. */
export function adoptViewState(
  value: unknown,
): { readonly ok: true; readonly value: JsonValue | undefined } | Refusal {
  if (value === undefined) return { ok: true, value: undefined }
  try {
    return { ok: true, value: boundedJson(value, limits.viewStateBytesMax.value) }
  } catch {
    return invalidViewState
  }
}

const invalidViewState: Refusal = {
  ok: false,
  code: 'FANFOLD_INVALID_VIEW_STATE',
  message: `a view state is what its schema takes, at most ${limits.viewStateBytesMax.value} bytes of JSON`,
}

/** A viewer need not say what it looks at: then there is nothing for the schema to refuse. */
function admitViewState(
  { viewState: schema }: EdgeDefinition,
  given: JsonValue | undefined,
): { readonly ok: true; readonly value: JsonValue | undefined } | Refusal {
  if (given === undefined) return { ok: true, value: undefined }
  if (schema === undefined) {
    return refusal('FANFOLD_NO_VIEW_STATE', 'this document takes no view state')
  }
  try {
    const result = schema['~standard'].validate(given)
    if ('then' in result) {
      // Nobody waits for it; what it rejects with is not news.
      result.then(ignore, ignore)
      return invalidViewState
    }
    return result.issues === undefined ? adoptViewState(result.value) : invalidViewState
  } catch {
    return invalidViewState
  }
}

/** Runs author's code; a throw is a refusal. */
function attempt<Value>(
  place: string,
  run: () => Value,
): { readonly ok: true; readonly value: Value } | Refusal {
  try {
    return { ok: true, value: run() }
  } catch (error) {
    const message = 'the definition could not decide what you may see'
    return { ok: false, code: 'FANFOLD_RULE_FAILED', message, failure: { place, error } }
  }
}

/** A frozen copy of `value`; throws when it is not JSON of at most so many bytes. */
function boundedJson(value: unknown, bytesMax: number): JsonValue {
  const bound = { ...documentLimits.writtenBytesMax, value: bytesMax }
  const adopted = adoptReturned(value, {
    ...documentLimits,
    writtenBytesMax: bound,
    textBytesMax: bound,
  })
  if (!adopted.ok) throw new RangeError(adopted.problem.message)
  const bytes = encodeUtf8(JSON.stringify(adopted.value)).length
  if (bytes > bytesMax) throw new RangeError(`at most ${bytesMax} bytes of JSON, got ${bytes}`)
  return freezeDeep(adopted.value)
}

/** Depth is bounded: the value was adopted. */
function freezeDeep(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  for (const child of Object.values(value)) freezeDeep(child)
  Object.freeze(value)
  return value
}

function asLabel(value: unknown): number {
  const isLabel = Number.isInteger(value) && Number(value) >= 0 && Number(value) <= labelMax
  if (!isLabel) throw new RangeError(`a clearance is an integer of 0 to ${labelMax}`)
  return Number(value)
}

const refusal = (code: ErrorCode, message: string): Refusal => ({ ok: false, code, message })

const ignore = (): void => undefined
