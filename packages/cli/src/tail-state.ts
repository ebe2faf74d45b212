/*
 * What a tail has seen, put together by its own means: each patch is applied to a copy, each range is
 * held against the one before. So a tail checks the tree that it hangs from, and the client as well.
 */
import type { Change } from '@fanfold/client'
import { applyPatch, type JsonObject, type PatchOperation } from '@fanfold/document'
import { CommandError } from './command-error.ts'
import { digestOf } from './digest.ts'

/** The last line of a tail with `--hash`. */
export type TailSummary = {
  readonly epoch: number
  readonly seq: number
  readonly sha256: string | null
  /** `adjoin` when each change began where the one before had ended. */
  readonly ranges: 'adjoin' | 'broken'
  readonly changes: number
}

/** The view as the changes so far make it. */
export class TailState {
  #state: JsonObject | undefined
  #epoch = 0
  #seq = 0
  #changes = 0
  #isAdjoining = true

  /** Takes the next change. @throws CommandError when its patch does not fit */
  take({ kind, epoch, from, seq, numbering, patch }: Change): void {
    // What comes first has nothing to adjoin; a dense count may begin anew.
    const isBack = seq < from && numbering !== 'dense'
    if (this.#changes > 0 && (from !== this.#seq || isBack)) this.#isAdjoining = false
    // The operations' values belong to the client, and applying makes them part of the state.
    const own: PatchOperation[] = structuredClone([...patch])
    this.#state = applyPatch(kind === 'snapshot' ? {} : (this.#state ?? {}), own)
    if (this.#state === undefined) {
      const message = `the patch from ${from} to ${seq} does not fit the view at ${this.#seq}`
      throw new CommandError('FANFOLD_PATCH_MISFIT', message)
    }
    this.#epoch = epoch
    this.#seq = seq
    this.#changes++
  }

  get summary(): TailSummary {
    return {
      epoch: this.#epoch,
      seq: this.#seq,
      sha256: this.#state === undefined ? null : digestOf(this.#state),
      ranges: this.#isAdjoining ? 'adjoin' : 'broken',
      changes: this.#changes,
    }
  }
}
