import { assert, fromHex, toHex } from '@fanfold/kernel'
import type { LinkId, SignedVariant } from '@fanfold/protocol'
import { VariantRequests } from './variant-requests.ts'

/** Where variants come from, and who is told of them. */
export type PassedVariantsOwner = {
  /** The variant with this name, if it is at hand. */
  held(hash: string): SignedVariant | undefined
  /** Asks for it above until it is here; false when too many are wanted. */
  want(hash: string): boolean
  unwant(hash: string): void
  /** Answers those of the links that wait for it: with it, or that there is none. */
  answer(hash: Uint8Array, links: Iterable<LinkId>, variant: SignedVariant | undefined): void
}

/** Edge variants that children ask for: from what is at hand, or from above. */
export class PassedVariants {
  readonly #owner: PassedVariantsOwner
  readonly #requests = new VariantRequests()

  constructor(owner: PassedVariantsOwner) {
    this.#owner = owner
  }

  /** From what is at hand, or else the parent is asked: once, however many children wait. */
  request(hash: Uint8Array, link: LinkId): void {
    const name = toHex(hash)
    const variant = this.#owner.held(name)
    if (variant === undefined && this.#requests.add(name, link)) {
      const isWanted = this.#owner.want(name)
      assert(isWanted, 'children wait for no more variants than may be wanted')
      return
    }
    this.#owner.answer(hash, [link], variant)
  }

  /** It is here, or cannot be had now; a child that is told that there is none may ask again. */
  told(name: string, variant: SignedVariant | undefined): void {
    this.#owner.unwant(name)
    const hash = fromHex(name)
    assert(hash !== undefined, `the name of a variant is hexadecimal, got ${name}`)
    this.#owner.answer(hash, this.#requests.take(name), variant)
  }

  /** The link is gone. */
  leave(link: LinkId): void {
    for (const name of this.#requests.leave(link)) this.#owner.unwant(name)
  }
}
