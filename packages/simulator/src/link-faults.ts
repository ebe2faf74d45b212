/*
 * What happens to frames on their way: a bit of one is another, or a piece of a snapshot is gone. TCP
 * lets neither happen; memory, a middlebox or a fault of our own may. Whatever does, nobody may be
 * shown it.
 */
import type { Prng } from '@fanfold/kernel'
import { linkFrameTypes } from '@fanfold/protocol'

/** How often what happens, as shares of the frames of a kind. */
export type LinkFaultOptions = {
  readonly pieceDamageShare: number
  readonly pieceLossShare: number
  readonly recordDamageShare: number
}

/** Bytes of a `snapshot-piece` before the piece: type, channel, index and codec. */
const pieceHeadBytes = 10

/** Draws what happens to each frame. */
export class LinkFaults {
  readonly #prng: Prng
  readonly #options: LinkFaultOptions
  #isHealed = false
  #damaged = 0
  #lost = 0

  constructor(prng: Prng, options: LinkFaultOptions) {
    this.#prng = prng
    this.#options = options
  }

  /** Frames that were damaged, and pieces that were lost. */
  get counts(): { readonly damaged: number; readonly lost: number } {
    return { damaged: this.#damaged, lost: this.#lost }
  }

  /** Whether nothing happens any more. */
  get isHealed(): boolean {
    return this.#isHealed
  }

  /** From now on nothing happens any more. */
  heal(): void {
    this.#isHealed = true
  }

  /** The frame as it arrives; undefined when it does not. */
  apply(frame: Uint8Array): Uint8Array | undefined {
    if (this.#isHealed) return frame
    const { pieceDamageShare, pieceLossShare, recordDamageShare } = this.#options
    if (frame[0] === linkFrameTypes['snapshot-piece']) {
      if (this.#prng.chance(pieceLossShare)) {
        this.#lost++
        return undefined
      }
      return this.#prng.chance(pieceDamageShare) ? this.#damage(frame, pieceHeadBytes) : frame
    }
    if (frame[0] === linkFrameTypes.records || frame[0] === linkFrameTypes.replay) {
      // The last bytes are a payload's, so that it is not the decoder that finds it.
      return this.#prng.chance(recordDamageShare) ? this.#damage(frame, frame.length - 8) : frame
    }
    return frame
  }

  #damage(frame: Uint8Array, from: number): Uint8Array {
    if (frame.length <= from || from < 0) return frame
    this.#damaged++
    const bytes = frame.slice()
    const at = from + this.#prng.below(bytes.length - from)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#prng.below(8))
    return bytes
  }
}
