/** Tells once that something has had no answer for too long, and why as far as is known. */
export class AppendDelay {
  readonly #timer: NodeJS.Timeout
  #reason = 'nothing has come yet'

  /** @param tell called once, `withinMs` from now, unless `end` is called before */
  constructor(withinMs: number, tell: (message: string) => void) {
    this.#timer = setTimeout(
      () => tell(`no answer from the Redis of the log for ${withinMs} ms: ${this.#reason}`),
      withinMs,
    )
  }

  /** Why it is not done yet. */
  note(reason: string): void {
    this.#reason = reason
  }

  /** It is done. */
  end(): void {
    clearTimeout(this.#timer)
  }
}
