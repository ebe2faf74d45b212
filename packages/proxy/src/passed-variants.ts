import { assert, fromHex, toHex } from '@fanfold/kernel'
import type { LinkId, SignedVariant } from '@fanfold/protocol'
import type { ParentVariants } from '@fanfold/replication'
import { VariantRequests } from './variant-requests.ts'

/** Answers those of the links that wait for a variant: with it, or that there is none. */
export type AnswerVariant = (
  hash: Uint8Array,
  links: Iterable<LinkId>,
  variant: SignedVariant | undefined,
) => void

/** Edge variants that children ask for: from what is at hand, or from above. */
export class PassedVariants {
  readonly #variants: Pick<ParentVariants, 'get' | 'want' | 'unwant'>
  readonly #answer: AnswerVariant
  readonly #requests = new VariantRequests()

  /** @param variants those at hand, and where others are asked for */
  constructor(variants: Pick<ParentVariants, 'get' | 'want' | 'unwant'>, answer: AnswerVariant) {
    this.#variants = variants
    this.#answer = answer
  }

  /** From what is at hand, or else the parent is asked: once, however many children wait. */
  request(hash: Uint8Array, link: LinkId): void {
    const name = toHex(hash)
    const variant = this.#variants.get(name)
    if (variant === undefined && this.#requests.add(name, link)) {
      const isWanted = this.#variants.want(name)
      assert(isWanted, 'children wait for no more variants than may be wanted')
      return
    }
    this.#answer(hash, [link], variant)
  }

  /** It is here, or cannot be had now; a child that is told that there is none may ask again. */
  told(name: string, variant: SignedVariant | undefined): void {
    this.#variants.unwant(name)
    const hash = fromHex(name)
    assert(hash !== undefined, `the name of a variant is hexadecimal, got ${name}`)
    this.#answer(hash, this.#requests.take(name), variant)
  }

  /** The link is gone. */
  leave(link: LinkId): void {
    for (const name of this.#requests.leave(link)) this.#variants.unwant(name)
  }
}
