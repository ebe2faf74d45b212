import type { EdgeInput } from '@fanfold/edge'
import { type Duration, milliseconds, type Prng, toHex } from '@fanfold/kernel'
import type { SignedVariant } from '@fanfold/protocol'
import type { BoardVariants } from './board-variants.ts'
import type { VirtualClock } from './virtual-clock.ts'

type Answer = Extract<EdgeInput, { kind: 'variant-loaded' | 'variant-refused' }>

/** How one edge runs variants: each takes a drawn while, and some cannot be run the first time. */
export class VariantLoads {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #loadMs: number
  readonly #failShare: number
  readonly #isHealed: () => boolean
  readonly #variants: BoardVariants
  readonly #receive: (input: Answer) => void

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    /** Mean time of a load, exponentially distributed. */
    readonly loadMs: number
    readonly failShare: number
    /** Whether none fails any more. */
    readonly isHealed: () => boolean
    readonly variants: BoardVariants
    /** Takes the answers, each in an event of its own. */
    readonly receive: (input: Answer) => void
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#loadMs = options.loadMs
    this.#failShare = options.failShare
    this.#isHealed = options.isHealed
    this.#variants = options.variants
    this.#receive = options.receive
  }

  /** Verifies a variant and runs it, some time later. */
  load(variant: SignedVariant): void {
    const hash = toHex(variant.hash)
    const micros = Math.round(-this.#loadMs * 1000 * Math.log(1 - this.#prng.fraction()))
    const isFailing = this.#prng.chance(this.#failShare) && !this.#isHealed()
    this.#clock.in((milliseconds(0.1) + micros) as Duration, () => {
      const definition = isFailing ? undefined : this.#variants.run(variant)
      if (definition !== undefined) {
        this.#receive({ kind: 'variant-loaded', hash, definition })
        return
      }
      const message = isFailing ? 'it cannot be run now' : 'it is not what its name says'
      this.#receive({ kind: 'variant-refused', hash, code: 'FANFOLD_NO_VARIANT', message })
    })
  }
}
