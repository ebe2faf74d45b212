/*
 * A change, looked at once for all cohorts, before it is made. What it touches falls into three:
 *
 *   region     a place with no rule or label below it. A cohort sees all of it or nothing, so the
 *              operations in it go out as they stand, or not at all.
 *   location   a place with rules below it, at which a whole value changes; an array with rules
 *              below it, since hidden elements make the indices of a view its own. What a cohort saw
 *              there is compared with what it sees, and the difference goes out.
 *   gate       a place whose rule reads what the change touches. When the answer turns, all that the
 *              cohort may see there is given, or what it saw there is taken away.
 *
 * The ways to all of them lead through objects. Regions and gates that lie in a location are part of
 * it; so are, cohort by cohort, regions and locations behind a gate that turns.
 */
import type { JsonObject, PatchOperation } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import type { Coverage } from './coverage.ts'
import { PatchPreview, type Touch } from './patch-preview.ts'
import { isWithin, memberAt, outermost, type Place, placeAt } from './place.ts'
import { touchedPlaces, touchedRules } from './touched-rules.ts'
import type { ViewRules } from './view-rules.ts'

/** What a change does where no rule is below. */
export class Region {
  readonly place: Place
  readonly #operations: PatchOperation[] = []
  #isLossy = false
  #texts: readonly string[] | undefined

  constructor(place: Place) {
    this.place = place
  }

  /** True when a value that the change wrote is not there after it, or is not what it was. */
  get isLossy(): boolean {
    return this.#isLossy
  }

  /** Takes one more operation, in order. */
  add({ operation, isLossy }: Touch): void {
    this.#operations.push(operation)
    this.#isLossy ||= isLossy
  }

  /**
   * Makes the texts, if they are not made: before the change is made. What is lost on the way was in
   * no view, neither before nor after: then only what it comes to is told.
   */
  prepare(preview: PatchPreview): void {
    const { segments, pointer } = this.place
    this.#texts ??= (
      this.#isLossy ? preview.differenceAt(segments, pointer) : this.#operations
    ).map(textOf)
  }

  /** The operations as JSON. */
  texts(): readonly string[] {
    assert(this.#texts !== undefined, 'a region is prepared before the change')
    return this.#texts
  }
}

/**
 * A change about to be made, looked at once for all cohorts.
 *
 * Make it before the patch is applied; hand it to `stage` of every cohort, apply the patch, and hand
 * it to `settle` of every cohort. A patch that does not fit the state is taken for a change of the
 * root.
 */
export class StagedChange {
  readonly rules: ViewRules
  /** The state before the change; what it was is lost once the change is made. */
  readonly state: JsonObject
  /** True when the patch leads to where it started: nobody is told of it. */
  readonly isIdle: boolean
  /**
   * True when the patch writes what it takes back, so that its bytes hold what is in no state; or does
   * not fit, so that nobody knows what they lead to.
   */
  readonly isLossy: boolean
  /** True when the patch is what its regions say, operation by operation, and nothing else. */
  readonly isAllRegions: boolean
  readonly regions: readonly Region[]
  readonly locations: readonly Place[]
  /** Something is at each of them before the change. */
  readonly gates: readonly Place[]
  readonly #preview: PatchPreview

  constructor(rules: ViewRules, state: JsonObject, patch: readonly PatchOperation[]) {
    this.rules = rules
    this.state = state
    const preview = new PatchPreview(state, patch)
    this.#preview = preview
    this.isIdle = preview.isFitting && preview.isUnchangedAt([])
    const sorting = new Sorting(rules, state)
    if (!preview.isFitting) sorting.addLocation([])
    else if (!this.isIdle) sorting.sort(preview)
    this.locations = sorting.outermostLocations()
    const within = new Set(this.locations.map(place => place.pointer))
    const regions = sorting.regions.filter(({ place }) => !isWithin(place.pointer, within))
    this.regions = regions.filter(({ place }) => !preview.isUnchangedAt(place.segments))
    this.gates = sorting.gates.filter(({ pointer }) => !isWithin(pointer, within))
    this.isLossy = !preview.isFitting || preview.touches.some(touch => touch.isLossy)
    this.isAllRegions =
      preview.isVerbatim &&
      this.locations.length === 0 &&
      this.regions.length === regions.length &&
      !this.isLossy &&
      !sorting.hasUnseen
  }

  /** Makes what must be made before the change; every cohort that may need it calls it. */
  prepare(): void {
    for (const region of this.regions) region.prepare(this.#preview)
  }
}

/** Sorts what a patch touches. */
class Sorting {
  readonly #rules: ViewRules
  readonly #state: JsonObject
  readonly #regions: Map<string, Region> = new Map()
  readonly #locations: Map<string, Place> = new Map()
  readonly #gates: Map<string, Place> = new Map()
  /** True when something was touched that nobody sees. */
  hasUnseen = false

  constructor(rules: ViewRules, state: JsonObject) {
    this.#rules = rules
    this.#state = state
  }

  get regions(): readonly Region[] {
    return [...this.#regions.values()]
  }

  get gates(): readonly Place[] {
    return [...this.#gates.values()]
  }

  outermostLocations(): readonly Place[] {
    return outermost(this.#locations)
  }

  sort(preview: PatchPreview): void {
    for (const touch of preview.touches) this.#addTouch(touch)
    const paths = preview.touches.map(({ segments, arrayDepth }) => segments.slice(0, arrayDepth))
    // A place that comes into being with the change needs no gate: nothing was seen of it before.
    for (const rule of touchedRules(this.#rules.readers, paths)) {
      for (const path of touchedPlaces(rule, this.#state)) this.#addGate(path)
    }
  }

  addLocation(segments: readonly string[]): void {
    const place = placeAt(this.#rules, segments)
    if (place.shows === 'nothing') this.hasUnseen = true
    else this.#locations.set(place.pointer, place)
  }

  #addTouch(touch: Touch): void {
    const { segments, arrayDepth } = touch
    let coverage: Coverage = this.#rules.root
    let depth = 0
    for (const name of segments) {
      if (!coverage.hasBelow || depth === arrayDepth) break
      coverage = coverage.below(name)
      depth++
    }
    const path = segments.slice(0, depth)
    if (coverage.hasBelow) this.addLocation(path)
    else this.#addRegion(path, touch)
  }

  #addRegion(path: readonly string[], touch: Touch): void {
    const place = placeAt(this.#rules, path)
    if (place.shows !== 'values') {
      this.hasUnseen = true
      return
    }
    const region = this.#regions.get(place.pointer) ?? new Region(place)
    region.add(touch)
    this.#regions.set(place.pointer, region)
  }

  /** The root, and an array that stands for what is in it, are looked at as locations. */
  #addGate(path: readonly string[]): void {
    const place = placeAt(this.#rules, path)
    if (place.shows === 'nothing') return
    const isArray = Array.isArray(memberAt(this.#state, path))
    if (path.length === 0 || (isArray && place.coverage.hasBelow)) this.addLocation(path)
    else this.#gates.set(place.pointer, place)
  }
}

/** An operation as JSON, with nothing in it but what it needs. */
function textOf(operation: PatchOperation): string {
  const { op, path } = operation
  return JSON.stringify('value' in operation ? { op, path, value: operation.value } : { op, path })
}
