import type { EffectSink, Instant, Prng, Sha256 } from '@fanfold/kernel'
import type { LinkEffect, LinkId, SignedVariant } from '@fanfold/protocol'
import { HeldVariants } from './held-variants.ts'
import {
  type TellVariant,
  type VariantFrame,
  type VariantLimits,
  WantedVariants,
} from './wanted-variants.ts'

/** The edge variants of a node: those at hand, and those that it asks its parents for. */
export class ParentVariants {
  readonly #held: HeldVariants
  readonly #wanted: WantedVariants

  constructor(options: {
    readonly sha256: Sha256
    readonly prng: Prng
    readonly limits: VariantLimits
    /** How long the parent may take to answer. */
    readonly answerMaxMs: number
    /** Called from inside `serve`, `receive` and `tick`. */
    readonly tell: TellVariant
  }) {
    this.#held = new HeldVariants(options.limits.heldBytesMax)
    this.#wanted = new WantedVariants({ ...options, held: this.#held })
  }

  /** The variant with this name (64 hexadecimal digits), if it is at hand. */
  get(hash: string): SignedVariant | undefined {
    return this.#held.get(hash)
  }

  /**
   * Asks for a variant until it is here or not wanted any more. In the next tick at the earliest it is
   * told, and that it cannot be had now each time that this turns out. False, and nothing is told, when
   * too many are wanted.
   */
  want(hash: string): boolean {
    return this.#wanted.want(hash)
  }

  /** Nobody wants the variant any more: nothing is told of it. */
  unwant(hash: string): void {
    this.#wanted.unwant(hash)
  }

  /** The variant at hand is of no use (who vouches for it is nobody): the next want asks for it anew. */
  drop(hash: string): void {
    this.#held.drop(hash)
  }

  /** These parents are asked from now on, in this order. */
  serve(links: readonly LinkId[], now: Instant, effects: EffectSink<LinkEffect>): void {
    const { parents } = this.#wanted
    const isSame = links.length === parents.length && links.every((one, at) => one === parents[at])
    if (isSame) return
    this.#wanted.attach(links)
    this.#wanted.pump(now, effects)
  }

  /** Takes an answer; that of a parent which is not asked any more is nobody's. */
  receive(frame: VariantFrame, link: LinkId, now: Instant, effects: EffectSink<LinkEffect>): void {
    const isAsked = this.#wanted.parents.includes(link)
    if (isAsked) this.#wanted.receive(frame, link, now, effects)
  }

  /** True when `tick` has something to do in the next turn. */
  get isDue(): boolean {
    return this.#wanted.isPumpDue
  }

  /** When it has otherwise. */
  wakeAt(): Instant | undefined {
    return this.#wanted.wakeAt()
  }

  tick(now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#wanted.tick(now, effects)
  }
}
