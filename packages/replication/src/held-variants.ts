import type { SignedVariant } from '@fanfold/protocol'

/** Edge variants that a node has at hand, by name; the least recently used go when they are too many. */
export class HeldVariants {
  readonly #bytesMax: number
  /** The least recently used first. */
  readonly #variants = new Map<string, SignedVariant>()
  #bytes = 0

  /** @param bytesMax bytes of all together; a variant that is larger by itself is not held */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Variants held. */
  get count(): number {
    return this.#variants.size
  }

  /** Bytes of the variants held. */
  get bytes(): number {
    return this.#bytes
  }

  /** The variant with this name, which then is the most recently used. */
  get(hash: string): SignedVariant | undefined {
    const variant = this.#variants.get(hash)
    if (variant === undefined) return undefined
    this.#variants.delete(hash)
    this.#variants.set(hash, variant)
    return variant
  }

  /** Keeps a variant, in place of the one of the same name. */
  put(hash: string, variant: SignedVariant): void {
    this.drop(hash)
    this.#variants.set(hash, variant)
    this.#bytes += bytesOf(variant)
    for (const oldest of this.#variants.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.drop(oldest)
    }
  }

  /** Forgets a variant. */
  drop(hash: string): void {
    const variant = this.#variants.get(hash)
    if (variant === undefined) return
    this.#variants.delete(hash)
    this.#bytes -= bytesOf(variant)
  }
}

const bytesOf = ({ hash, type, token, signature, code }: SignedVariant): number =>
  hash.length + type.length + token.length + signature.length + code.length
