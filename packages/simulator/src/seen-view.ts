/*
 * A view as viewers have it, which never changes: a step makes another one.
 *
 * Those of a cohort get the same frames, so most of them have the same view, not only an equal one.
 * Each step from a view is worked out for the first of them and remembered for the others. Views of other
 * edges that are equal to one of the last are the same too.
 */
import { applyPatch, canonicalJson, type JsonObject, type PatchOperation } from '@fanfold/document'
import { describeDifference } from './describe-difference.ts'
import { isSameJson } from './same-json.ts'
import type { SeenSight } from './sight.ts'

type Patch = readonly PatchOperation[]

/** Views by the object of the frame that they came in. */
const received = new WeakMap<JsonObject, SeenView>()

/** Views that are known by their text, and its length together; beyond either all are forgotten. */
const viewsMax = 512
const textLengthMax = 4_194_304
const byText = new Map<string, SeenView>()
let textLength = 0

/** A view at one place, for every viewer that has come to it in the same way. */
export class SeenView {
  /** The view as JSON, members in the order in which they came. */
  readonly json: string
  /** The view itself, until a step is made of it. */
  #value: JsonObject | undefined
  /** The last step that was made from it. */
  #step: { readonly patch: Patch; readonly next: SeenView | undefined } | undefined
  /** What it was last compared with. */
  #compared: { readonly sight: SeenSight; readonly difference: string | undefined } | undefined

  private constructor(json: string) {
    this.json = json
  }

  /** The view that came as this object, which belongs to it from now on. */
  static of(value: JsonObject): SeenView {
    let view = received.get(value)
    if (view === undefined) {
      view = SeenView.#equalTo(value)
      received.set(value, view)
    }
    return view
  }

  static #equalTo(value: JsonObject): SeenView {
    const json = JSON.stringify(value)
    let view = byText.get(json)
    if (view === undefined) {
      view = new SeenView(json)
      textLength += json.length
      if (byText.size === viewsMax || textLength > textLengthMax) {
        byText.clear()
        textLength = json.length
      }
      byText.set(json, view)
    }
    view.#value ??= value
    return view
  }

  /** The view that a patch makes of this one; undefined when it does not apply. */
  step(patch: Patch): SeenView | undefined {
    if (this.#step?.patch === patch) return this.#step.next
    const value = this.#valueNow()
    this.#value = undefined
    const after = applyPatch(value, patch.map(withOwnValue))
    const next = after && SeenView.#equalTo(after)
    this.#step = { patch, next }
    return next
  }

  /** Where it is not what it has to be; undefined when it is. Both never change: they are compared once. */
  differsFrom(sight: SeenSight): string | undefined {
    if (this.#compared?.sight === sight) return this.#compared.difference
    const difference = this.#isEqual(sight)
      ? undefined
      : describeDifference(canonicalJson(this.#valueNow()), sight.canonical)
    this.#compared = { sight, difference }
    return difference
  }

  #isEqual({ json, view }: SeenSight): boolean {
    // Members mostly come in the same order; in another one the text is as long.
    if (this.json === json) return true
    return this.json.length === json.length && isSameJson(this.#valueNow(), view)
  }

  #valueNow(): JsonObject {
    this.#value ??= JSON.parse(this.json) as JsonObject
    return this.#value
  }
}

/** What is applied becomes part of one view, and others may take the same step. */
const withOwnValue = (operation: PatchOperation): PatchOperation =>
  'value' in operation && typeof operation.value === 'object'
    ? { ...operation, value: JSON.parse(JSON.stringify(operation.value)) }
    : operation
