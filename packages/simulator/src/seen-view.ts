/*
 * A view as viewers have it, which never changes: a step makes another one.
 *
 * Those of a cohort get the same frames, so most of them have the same view, not only an equal one.
 * Each step from a view is worked out for the first of them and remembered for the others.
 */
import { applyPatch, canonicalJson, type JsonObject, type PatchOperation } from '@fanfold/document'

type Patch = readonly PatchOperation[]

/** Views by the object of the frame that they came in. */
const received = new WeakMap<JsonObject, SeenView>()

/** A view at one place, for every viewer that has come to it in the same way. */
export class SeenView {
  /** The view as JSON, members in the order in which they came. */
  readonly json: string
  /** The view itself, until a step is made of it. */
  #value: JsonObject | undefined
  #canonical: string | undefined
  /** The last step that was made from it. */
  #step: { readonly patch: Patch; readonly next: SeenView | undefined } | undefined
  /** What it was last found to be equal to. */
  #equal: object | undefined

  private constructor(value: JsonObject) {
    this.#value = value
    this.json = JSON.stringify(value)
  }

  /** The view that came as this object, which belongs to it from now on. */
  static of(value: JsonObject): SeenView {
    let view = received.get(value)
    if (view === undefined) {
      view = new SeenView(value)
      received.set(value, view)
    }
    return view
  }

  /** Equal exactly for equal views. */
  get canonical(): string {
    this.#canonical ??= canonicalJson(JSON.parse(this.json))
    return this.#canonical
  }

  /** The view that a patch makes of this one; undefined when it does not apply. */
  step(patch: Patch): SeenView | undefined {
    if (this.#step?.patch === patch) return this.#step.next
    const value = this.#value ?? (JSON.parse(this.json) as JsonObject)
    this.#value = undefined
    const after = applyPatch(value, patch.map(withOwnValue))
    const next = after && new SeenView(after)
    this.#step = { patch, next }
    return next
  }

  /** Whether it is equal to a view that never changes either. */
  isEqual(other: { readonly json: string; readonly canonical: string }): boolean {
    if (this.#equal === other) return true
    // Members mostly come in the same order, and this text is much cheaper than the canonical one,
    // which is as long.
    const isEqual =
      this.json === other.json ||
      (this.json.length === other.json.length && this.canonical === other.canonical)
    if (isEqual) this.#equal = other
    return isEqual
  }
}

/** What is applied becomes part of one view, and others may take the same step. */
const withOwnValue = (operation: PatchOperation): PatchOperation =>
  'value' in operation && typeof operation.value === 'object'
    ? { ...operation, value: JSON.parse(JSON.stringify(operation.value)) }
    : operation
