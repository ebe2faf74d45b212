/* Who a viewer is, and for how long: its tokens, as the function gives them that its client asks. */
import { assert } from '@fanfold/kernel'
import type { Grants } from '@fanfold/protocol'

/** A token as it is sent: what a rim makes of it is what it says. */
export const encodeToken = (grants: Grants): string => JSON.stringify(grants)

/** What a token says; all come from `encodeToken`. */
export const decodeToken = (token: string): Grants => JSON.parse(token) as Grants

/** The tokens of one viewer, one after the other; the last one has no end. */
export class ViewerTokens {
  readonly #tokens: readonly Grants[]
  #index = 0

  /** @param tokens one at least */
  constructor(tokens: readonly Grants[]) {
    assert(tokens.at(-1)?.expiresAtMs === undefined, 'the last token has no end')
    this.#tokens = tokens
  }

  /** What it may do by the token of now. */
  get now(): Grants {
    const grants = this.#tokens[this.#index]
    assert(grants !== undefined, `a viewer has ${this.#tokens.length} tokens, one at least`)
    return grants
  }

  /** Those that may still take its place. */
  get left(): number {
    return this.#tokens.length - 1 - this.#index
  }

  /** Another one takes its place; false when there is none. */
  next(): boolean {
    if (this.left === 0) return false
    this.#index++
    return true
  }

  /** The token for a connection that is dialled now: none that has ended. */
  valid(wallMs: number): Grants {
    while ((this.now.expiresAtMs ?? Number.POSITIVE_INFINITY) <= wallMs) this.next()
    return this.now
  }
}
