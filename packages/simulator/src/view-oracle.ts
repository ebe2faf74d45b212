/*
 * Who sees what at each place of a log, worked out anew from the whole state by the definition that the
 * log says for that place, and by none of the code that edges run.
 *
 * Where all is open but for the rules, the whole definition is put to the whole state, whatever the
 * ceiling: what is labelled above it is nobody's there. Under a closed default the rules that a variant
 * lacks also took the empty objects above their places with them: there it is the variant and the part
 * of the state that the ceiling lets through.
 */
import {
  anySegment,
  type JsonObject,
  type JsonValue,
  type LabelRule,
  parsePathPattern,
  type RecordedDefinition,
  type Segment,
} from '@fanfold/document'
import { type DocumentKey, isGranted, labelMax, type Position } from '@fanfold/protocol'
import type { BoardVariants } from './board-variants.ts'
import type { History, Where } from './history.ts'
import { plainMarkers } from './marker.ts'
import type { SeenView } from './seen-view.ts'
import { type Admitted, admit, isPlain, type Looker, type Sight, see } from './sight.ts'

/** Sights and states that are kept, the newest, and places that were looked at. */
const sightsMax = 4_096
const statesMax = 256
const looksMax = 16_384

const noMarkers: ReadonlySet<string> = new Set()
const absent: Sight = { kind: 'absent' }
const deleted: Sight = { kind: 'deleted' }
const forbidden: Sight = { kind: 'refused', code: 'FANFOLD_FORBIDDEN' }

/** Everybody who is the same to every definition, and has asked for the same view. */
type Gaze = {
  /** By hash of the variant that lets them in. */
  readonly admissions: Map<string, ReturnType<typeof admit>>
  readonly sights: Map<DocumentKey, Map<number, Sight>>
}
/** Everybody who is the same to every definition. */
type Eye = { readonly unasked: Gaze; readonly asked: Map<string, Gaze> }

/** The truth about views in one world. */
export class ViewOracle {
  readonly #history: History
  readonly #variants: BoardVariants
  readonly #sights = new Map<string, Sight>()
  readonly #eyes = new Map<string, Eye>()
  readonly #eyeOf = new WeakMap<Looker, Eye>()
  #looks = 0
  readonly #states = new Map<string, JsonObject | undefined>()
  readonly #below = new Map<DocumentKey, Map<number, ReadonlySet<string>>>()

  constructor(history: History, variants: BoardVariants) {
    this.#history = history
    this.#variants = variants
  }

  /** The place of the document's last durable record, 0 for none. */
  headPlace(doc: DocumentKey): number {
    return this.#history.headPlace(doc)
  }

  /** The place of a record; 0 for one that was never durable. */
  placeOf(doc: DocumentKey, where: Where): number {
    return this.#history.placeOf(doc, where)
  }

  /** The places of all records of this epoch and seq, the newest first: one at most, unless an epoch was given twice. */
  placesNamed(doc: DocumentKey, where: Where): readonly number[] {
    return this.#history.placesNamed(doc, where)
  }

  /** The place of a position; 0 for one that never was in the log. */
  placeAt(doc: DocumentKey, position: Position): number {
    return this.#history.placeAt(doc, position)
  }

  /** The places that a seq ever had, the newest first: one, unless the log has lost records. */
  placesAt(doc: DocumentKey, seq: number): readonly number[] {
    return this.#history.placesAt(doc, seq)
  }

  /** The places of what the log has lost. */
  placesLost(doc: DocumentKey): readonly number[] {
    return this.#history.placesLost(doc)
  }

  /** The place of a seq before that a place follows; 0 where it does not. */
  placeBefore(doc: DocumentKey, place: number, seq: number): number {
    return this.#history.placeBefore(doc, place, seq)
  }

  /** What may have been shown since a seq was, the newest first: all places where the log has gone back meanwhile. */
  placesSince(doc: DocumentKey, seq: number): readonly number[] {
    return this.#history.placesSince(doc, seq)
  }

  /** What one sees at a place; a view state that the definition does not take is none. */
  look(doc: DocumentKey, place: number, looker: Looker, viewState: unknown): Sight {
    // A token says of which documents it is, whatever they say of whoever has it.
    if (!isGranted(looker.grants, 'observe', doc)) return forbidden
    if (place === 0) return absent
    const gaze = this.#gaze(looker, viewState)
    let places = gaze.sights.get(doc)
    const known = places?.get(place)
    if (known !== undefined) return known
    if (++this.#looks > looksMax) {
      this.#forgetLooks()
      places = undefined
    }
    const sight = this.#look(doc, place, looker, viewState, gaze)
    if (places === undefined) {
      places = new Map()
      gaze.sights.set(doc, places)
    }
    places.set(place, sight)
    return sight
  }

  /** Why a view is not what one sees at a place; undefined when it is. */
  differsAt(
    at: { readonly doc: DocumentKey; readonly place: number },
    looker: Looker,
    viewState: unknown,
    view: SeenView,
  ): string | undefined {
    const sight = this.look(at.doc, at.place, looker, viewState)
    if (sight.kind !== 'seen') return `there it is ${sight.kind}`
    return view.differsFrom(sight)
  }

  /** Whether what says who may see what is another at the second place than at the first. */
  isRedefined(doc: DocumentKey, from: number, to: number): boolean {
    return this.#history.definitionAt(doc, from) !== this.#history.definitionAt(doc, to)
  }

  /** The markers that a place of the log may let through to a ceiling. */
  markersBelow(doc: DocumentKey, place: number, ceiling: number): ReadonlySet<string> {
    if (place === 0) return noMarkers
    let places = this.#below.get(doc)
    if (places === undefined) {
      places = new Map()
      this.#below.set(doc, places)
    }
    return kept(places, sightsMax, place * (labelMax + 1) + ceiling, () => {
      const labels = this.#history.definitionAt(doc, place)?.labels ?? []
      const json = labels.some(({ label }) => label > ceiling)
        ? this.#jsonBelow(doc, place, labels, ceiling)
        : this.#history.jsonAt(doc, place)
      return json === undefined ? noMarkers : new Set(plainMarkers(json))
    })
  }

  /** Whether a marker was ever planted in a document. */
  isPlanted(doc: DocumentKey, marker: string): boolean {
    return this.placesSince(doc, 1).some(place =>
      this.markersBelow(doc, place, labelMax).has(marker),
    )
  }

  #gaze(looker: Looker, viewState: unknown): Gaze {
    let eye = this.#eyeOf.get(looker)
    if (eye === undefined) {
      const { subject, claims } = looker.grants
      const key = JSON.stringify([subject, claims, looker.ceiling])
      eye = this.#eyes.get(key) ?? { unasked: newGaze(), asked: new Map() }
      this.#eyes.set(key, eye)
      this.#eyeOf.set(looker, eye)
    }
    if (viewState === undefined || viewState === null) return eye.unasked
    const key = JSON.stringify(viewState)
    let gaze = eye.asked.get(key)
    if (gaze === undefined) {
      gaze = newGaze()
      eye.asked.set(key, gaze)
    }
    return gaze
  }

  #forgetLooks(): void {
    this.#looks = 0
    for (const { unasked, asked } of this.#eyes.values()) {
      unasked.sights.clear()
      asked.clear()
    }
  }

  #look(
    doc: DocumentKey,
    place: number,
    looker: Looker,
    viewState: unknown,
    { admissions }: Gaze,
  ): Sight {
    if (this.#history.isDeletedAt(doc, place)) return deleted
    const recorded = this.#history.definitionAt(doc, place)
    const variantHash = recorded && variantFor(recorded, looker.ceiling)
    const wholeHash = recorded?.variant
    if (this.#history.jsonAt(doc, place) === undefined || recorded === undefined) return absent
    if (variantHash === undefined || wholeHash === undefined) return absent
    const variant = this.#variants.definitionOf(variantHash)
    let admission = admissions.get(variantHash)
    if (admission === undefined) {
      admission = admit(variant, looker, viewState)
      admissions.set(variantHash, admission)
    }
    if (admission.kind === 'refused') return admission
    const admitted: Admitted = admission
    const key = `${doc} ${place} ${variantHash} ${admitted.key}`
    return kept(this.#sights, sightsMax, key, () => {
      const whole = this.#variants.definitionOf(wholeHash)
      const isOpen = whole.isOpen
      const state = this.#state(doc, place) ?? {}
      const shown = isOpen ? state : withoutAbove(state, recorded.labels, looker.ceiling)
      return see(isOpen ? whole : variant, shown, admitted, isPlain(variant, admitted.clearance))
    })
  }

  #state(doc: DocumentKey, place: number): JsonObject | undefined {
    return kept(this.#states, statesMax, `${doc} ${place}`, () => this.#history.stateAt(doc, place))
  }

  #jsonBelow(
    doc: DocumentKey,
    place: number,
    labels: readonly LabelRule[],
    ceiling: number,
  ): string | undefined {
    const state = this.#state(doc, place)
    return state && JSON.stringify(withoutAbove(state, labels, ceiling))
  }
}

const newGaze = (): Gaze => ({ admissions: new Map(), sights: new Map() })

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

/** The value under a key, made when it is not there; the oldest goes when there are too many. */
function kept<Key, Value>(cache: Map<Key, Value>, max: number, key: Key, make: () => Value): Value {
  const before = cache.get(key)
  if (before !== undefined) return before
  const value = make()
  if (cache.size >= max)
    for (const oldest of cache.keys()) {
      cache.delete(oldest)
      break
    }
  cache.set(key, value)
  return value
}
