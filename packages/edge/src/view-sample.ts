/*
 * One cohort of a document, watched for a while: a view of it that was made anew, and the frames that its
 * viewers are sent from then on, as they are sent. What those lead to is compared with what the words of
 * the definition alone make of the state.
 */
import {
  applyPatch,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type PatchOperation,
} from '@fanfold/document'
import { decodeUtf8 } from '@fanfold/kernel'
import { jsonEqual } from '@fanfold/privacy'
import type { Cohort } from './cohort.ts'

/** Bounds of what is kept of frames; when one is reached, it is time to compare. */
const framesMax = 64
const frameBytesMax = 262_144

/** What came of a comparison; `none` where there was nothing that could be compared. */
export type CheckOutcome = 'equal' | 'differs' | 'none'

/** What a cohort is sent after a view. */
export class ViewSample {
  readonly cohort: Cohort
  readonly #view: JsonObject
  readonly #seq: number
  readonly #frames: Uint8Array[] = []
  #frameBytes = 0
  #isSpoilt = false

  /** @param view of now, fresh */
  constructor(cohort: Cohort, view: JsonObject) {
    this.cohort = cohort
    this.#view = view
    this.#seq = cohort.seq
  }

  /** True when it is time to compare. */
  get isFull(): boolean {
    return this.#frames.length >= framesMax || this.#frameBytes >= frameBytesMax
  }

  /** A cohort was sent a frame that leads on from the one before. */
  follow(cohort: Cohort, frame: Uint8Array): void {
    if (cohort !== this.cohort || this.#isSpoilt) return
    this.#frames.push(frame)
    this.#frameBytes += frame.length
  }

  /** The cohort goes on in another way, or is gone: there is nothing to compare. */
  spoil(cohort: Cohort): void {
    if (cohort === this.cohort) this.#isSpoilt = true
  }

  /** Compares what the frames lead to with the view of `state`, where the cohort stands. */
  compare(state: JsonObject): CheckOutcome {
    const { cohort } = this
    if (this.#isSpoilt || cohort.failure !== undefined) return 'none'
    const expected = cohort.naive(state)
    if (expected === undefined) return 'none'
    return jsonEqual(this.#composed(), expected) ? 'equal' : 'differs'
  }

  /** Undefined when the frames do not adjoin, or do not apply. */
  #composed(): JsonObject | undefined {
    let view: JsonObject | undefined = this.#view
    let seq: JsonValue = this.#seq
    for (const bytes of this.#frames) {
      const frame: JsonValue = JSON.parse(decodeUtf8(bytes) ?? 'null')
      if (view === undefined || !isJsonObject(frame) || frame['from'] !== seq) return undefined
      const { patch } = frame
      if (!Array.isArray(patch)) return undefined
      view = applyPatch(view, patch as unknown as readonly PatchOperation[])
      seq = frame['seq'] ?? null
    }
    return seq === this.cohort.seq ? view : undefined
  }
}
