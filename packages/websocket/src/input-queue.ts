/** Hands inputs to a driver in order, and never from inside the effect that caused them. */
export class InputQueue<Input> {
  readonly #report: (input: Input) => void
  #waiting: Input[] = []
  #performing = 0
  #isClosed = false

  constructor(report: (input: Input) => void) {
    this.#report = report
  }

  /** Runs `effect`; what is reported meanwhile waits for the end of the driver's own turn. */
  perform(effect: () => void): void {
    this.#performing++
    try {
      effect()
    } finally {
      this.#performing--
    }
  }

  /** Reports at once, or after what waits already. */
  report(input: Input): void {
    if (this.#isClosed) return
    if (this.#performing === 0 && this.#waiting.length === 0) {
      this.#report(input)
      return
    }
    this.#waiting.push(input)
    if (this.#waiting.length === 1) queueMicrotask(() => this.#flush())
  }

  /** Reports nothing any more. */
  close(): void {
    this.#isClosed = true
    this.#waiting = []
  }

  #flush(): void {
    for (let index = 0; index < this.#waiting.length; index++) {
      const input = this.#waiting[index]
      if (input !== undefined) this.#report(input)
    }
    this.#waiting = []
  }
}
