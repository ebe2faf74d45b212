import { assert } from '@fanfold/kernel'

/** Calls of `advance` after which an answer will not come any more. */
const advancesMax = 100_000

/** What a port has answered, in a test's hands: the answers to come are awaited. */
export class Inbox<Input> {
  /** All that came, in order. */
  readonly inputs: Input[] = []
  readonly #advance: (() => void) | undefined
  #waiting: (() => void)[] = []

  /** @param advance lets virtual time pass, for what lives in it */
  constructor(advance?: () => void) {
    this.#advance = advance
  }

  /** Takes the next answer. */
  take(input: Input): void {
    this.inputs.push(input)
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }

  /** The first answer from the index `from` on of which `find` makes something. */
  async find<Found>(from: number, find: (input: Input) => Found | undefined): Promise<Found> {
    let at = from
    for (let advances = 0; ; advances++) {
      for (; at < this.inputs.length; at++) {
        const found = find(this.inputs[at] as Input)
        if (found !== undefined) return found
      }
      assert(advances < advancesMax, `an answer comes within ${advancesMax} steps`)
      await this.#more()
    }
  }

  /** Waits for more, or lets time pass that brings it. */
  async #more(): Promise<void> {
    if (this.#advance === undefined) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
      return
    }
    this.#advance()
    await undefined
  }
}
