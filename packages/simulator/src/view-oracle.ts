/*
 * Who sees what at each place of a log, worked out anew from the whole state by the definition that the
 * log says for that place, and by none of the code that edges run.
 *
 * Where all is open but for the rules, the whole definition is put to the whole state, whatever the
 * ceiling: what is labelled above it is nobody's there. Under a closed default the rules that a variant
 * lacks also took the empty objects above their places with them: there it is the variant and the part
 * of the state that the ceiling lets through.
 */
import type { EdgeDefinition } from '@fanfold/definition'
import {
  anySegment,
  canonicalJson,
  type JsonObject,
  type JsonValue,
  type LabelRule,
  parsePathPattern,
  type RecordedDefinition,
  type Segment,
} from '@fanfold/document'
import { naiveView } from '@fanfold/privacy'
import { type DocumentKey, type ErrorCode, type Grants, labelMax } from '@fanfold/protocol'
import type { BoardVariants } from './board-variants.ts'
import { describeDifference } from './describe-difference.ts'
import type { History } from './history.ts'
import { plainMarkers } from './marker.ts'

/** Who looks, and from behind which ceiling. */
export type Looker = { readonly grants: Grants; readonly ceiling: number }

/** What there is to see. */
export type Sight =
  | {
      readonly kind: 'seen'
      readonly json: string
      /** Equal exactly for equal views. */
      readonly canonical: string
      readonly markers: ReadonlySet<string>
      /** Whether the state is seen as it is by the words of the definition, whatever it is. */
      readonly isPlain: boolean
      /** Whether a rule fails, which it may do unasked where a view does not look there. */
      readonly mayFail: boolean
    }
  | { readonly kind: 'refused'; readonly code: ErrorCode }
  /** The author's code fails: what was seen last stays. */
  | { readonly kind: 'failed' }
  /** There is no document yet, or nobody can be shown it. */
  | { readonly kind: 'absent' }

/** Sights and states that are kept, the newest. */
const sightsMax = 4_096
const statesMax = 256

const noMarkers: ReadonlySet<string> = new Set()

/** The truth about views in one world. */
export class ViewOracle {
  readonly #history: History
  readonly #variants: BoardVariants
  readonly #sights = new Map<string, Sight>()
  readonly #byLooker = new Map<string, Sight>()
  readonly #states = new Map<string, JsonObject | undefined>()
  readonly #below = new Map<string, ReadonlySet<string>>()

  constructor(history: History, variants: BoardVariants) {
    this.#history = history
    this.#variants = variants
  }

  /** Seq of the document's last durable record. */
  headSeq(doc: DocumentKey): number {
    return this.#history.headSeq(doc)
  }

  /** What one sees at a place; a view state that the definition does not take is none. */
  look(doc: DocumentKey, seq: number, looker: Looker, viewState: unknown): Sight {
    // What is not durable yet is not remembered: soon it may be.
    if (seq > this.headSeq(doc)) return { kind: 'absent' }
    const { subject, claims } = looker.grants
    const asked = [subject, claims, looker.ceiling, viewState ?? null]
    return kept(this.#byLooker, sightsMax, `${doc} ${seq} ${JSON.stringify(asked)}`, () =>
      this.#look(doc, seq, looker, viewState),
    )
  }

  /** Why a view is not what one sees at a place; undefined when it is. */
  differsAt(
    place: { readonly doc: DocumentKey; readonly seq: number },
    looker: Looker,
    viewState: unknown,
    view: JsonObject,
  ): string | undefined {
    const sight = this.look(place.doc, place.seq, looker, viewState)
    if (sight.kind !== 'seen') return `there it is ${sight.kind}`
    // Members mostly come in the same order, and this text is much cheaper than the canonical one.
    if (JSON.stringify(view) === sight.json) return undefined
    const canonical = canonicalJson(view)
    return canonical === sight.canonical
      ? undefined
      : describeDifference(canonical, sight.canonical)
  }

  /** The markers that a place of the log may let through to a ceiling. */
  markersBelow(doc: DocumentKey, seq: number, ceiling: number): ReadonlySet<string> {
    if (seq > this.headSeq(doc)) return noMarkers
    return kept(this.#below, sightsMax, `${doc} ${seq} ${ceiling}`, () => {
      const state = this.#state(doc, seq)
      if (state === undefined) return noMarkers
      const labels = this.#history.definitionAt(doc, seq)?.labels ?? []
      return new Set(plainMarkers(JSON.stringify(withoutAbove(state, labels, ceiling))))
    })
  }

  /** Whether a marker was ever planted in a document. */
  isPlanted(doc: DocumentKey, marker: string): boolean {
    for (let seq = this.headSeq(doc); seq > 0; seq--) {
      if (this.markersBelow(doc, seq, labelMax).has(marker)) return true
    }
    return false
  }

  #look(doc: DocumentKey, seq: number, looker: Looker, viewState: unknown): Sight {
    const state = this.#state(doc, seq)
    const recorded = this.#history.definitionAt(doc, seq)
    const variantHash = recorded && variantFor(recorded, looker.ceiling)
    const wholeHash = recorded?.variant
    if (state === undefined || recorded === undefined) return { kind: 'absent' }
    if (variantHash === undefined || wholeHash === undefined) return { kind: 'absent' }
    const variant = this.#variants.definitionOf(variantHash)
    const admission = admit(variant, looker, viewState)
    if (admission.kind === 'refused') return admission
    const key = `${doc} ${seq} ${variantHash} ${admission.key}`
    return kept(this.#sights, sightsMax, key, () => {
      const whole = this.#variants.definitionOf(wholeHash)
      const isOpen = whole.isOpen
      const shown = isOpen ? state : withoutAbove(state, recorded.labels, looker.ceiling)
      return see(isOpen ? whole : variant, shown, admission, isPlain(variant, admission.clearance))
    })
  }

  #state(doc: DocumentKey, seq: number): JsonObject | undefined {
    return kept(this.#states, statesMax, `${doc} ${seq}`, () => this.#history.stateAt(doc, seq))
  }
}

type Admitted = {
  readonly kind: 'admitted'
  readonly audience: JsonValue
  readonly clearance: number
  readonly viewState: JsonValue | undefined
  readonly key: string
}

function admit(
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

function see(
  definition: EdgeDefinition,
  state: JsonObject,
  { audience, clearance, viewState }: Admitted,
  isPlain: boolean,
): Sight {
  const cohort = { audience, clearance, viewState }
  const sightOf = (view: JsonObject, mayFail: boolean): Sight => {
    const json = JSON.stringify(view)
    const markers = new Set(plainMarkers(json))
    return { kind: 'seen', json, canonical: canonicalJson(view), markers, isPlain, mayFail }
  }
  try {
    return sightOf(naiveView(definition, state, cohort), false)
  } catch {
    if (definition.view === undefined) return { kind: 'failed' }
    return sightOf(naiveView(withoutThrows(definition), state, cohort), true)
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

const isPlain = (definition: EdgeDefinition, clearance: number): boolean =>
  definition.isOpen &&
  definition.view === undefined &&
  definition.rules.length === 0 &&
  definition.labels.every(({ label }) => label <= clearance)

const variantFor = ({ variants }: RecordedDefinition, ceiling: number): string | undefined =>
  variants.findLast(one => one.ceiling <= ceiling)?.hash

/** What of a state may cross to a ceiling: without what a label above it is on. */
export function withoutAbove(
  state: JsonObject,
  labels: readonly LabelRule[],
  ceiling: number,
): JsonObject {
  const above = labels
    .filter(({ label }) => label > ceiling)
    .map(({ pattern }) => parsePathPattern(pattern)?.segments ?? [])
  return above.length === 0 ? state : (cut(state, above) as JsonObject)
}

/** Of these patterns those that go on below a member, each from its next segment on. */
function cut(value: JsonValue, patterns: readonly (readonly Segment[])[]): JsonValue {
  if (typeof value !== 'object' || value === null || patterns.length === 0) return value
  const rest = (name: string): (readonly Segment[])[] =>
    patterns.flatMap(([first, ...others]) =>
      first === anySegment || first === name ? [others] : [],
    )
  const isCut = (name: string): boolean => rest(name).some(segments => segments.length === 0)
  if (Array.isArray(value)) {
    return value.flatMap((element, index) =>
      isCut(`${index}`) ? [] : [cut(element, rest(`${index}`))],
    )
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !isCut(name))
      .map(([name, member]) => [name, cut(member, rest(name))]),
  )
}

const asJson = (value: unknown): JsonValue | undefined =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value))

/** The value under a key, made when it is not there; the oldest goes when there are too many. */
function kept<Value>(
  cache: Map<string, Value>,
  max: number,
  key: string,
  make: () => Value,
): Value {
  const before = cache.get(key)
  if (before !== undefined) return before
  const value = make()
  const [oldest] = cache.keys()
  if (cache.size >= max && oldest !== undefined) cache.delete(oldest)
  cache.set(key, value)
  return value
}
