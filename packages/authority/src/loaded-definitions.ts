import type { DocumentDefinition } from '@fanfold/definition'
import { toHex } from '@fanfold/kernel'
import type { SignedVariant } from '@fanfold/protocol'
import { LoadedDefinition, type LoadedVariant } from './loaded-definition.ts'

/** Edge variants that are at hand for children, the newest of all that were loaded. */
export const variantsHeldMax = 64

/** The definitions that were loaded last, by type, and the edge variants of them and of some before. */
export class LoadedDefinitions {
  readonly #byType = new Map<string, LoadedDefinition>()
  /** By name, the newest last. */
  readonly #variants = new Map<string, SignedVariant>()

  /** A definition was loaded, or loaded anew. */
  load(definition: DocumentDefinition, variants: readonly LoadedVariant[]): void {
    this.#byType.set(definition.type, new LoadedDefinition(definition, variants))
    for (const { variant } of variants) {
      const name = toHex(variant.hash)
      this.#variants.delete(name)
      this.#variants.set(name, variant)
    }
    for (const oldest of this.#variants.keys()) {
      if (this.#variants.size <= variantsHeldMax) break
      this.#variants.delete(oldest)
    }
  }

  /** The definition for documents of a type. */
  get(type: string): LoadedDefinition | undefined {
    return this.#byType.get(type)
  }

  /** The edge variant with this hash, while it is at hand. */
  variant(hash: Uint8Array): SignedVariant | undefined {
    return this.#variants.get(toHex(hash))
  }
}
