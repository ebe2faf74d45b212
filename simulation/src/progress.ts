/** A stream that may be a terminal. */
export type Output = {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

/** How often progress is told in a file or a pipe, and on a terminal, ms. */
const plainEveryMs = 10_000
const terminalEveryMs = 200

/** Lines on a stream, with one at its end that changes where the stream is a terminal. */
export class Progress {
  readonly #output: Output
  #toldAtMs: number
  #hasLine = false

  constructor(output: Output, nowMs: number) {
    this.#output = output
    this.#toldAtMs = nowMs
  }

  /** Tells how far things are, unless that was told a moment ago. */
  tell(line: string, nowMs: number): void {
    const isTerminal = this.#output.isTTY === true
    if (nowMs - this.#toldAtMs < (isTerminal ? terminalEveryMs : plainEveryMs)) return
    this.#toldAtMs = nowMs
    this.#clear()
    this.#output.write(isTerminal ? line : `${line}\n`)
    this.#hasLine = isTerminal
  }

  /** Writes lines that stay. */
  write(lines: readonly string[]): void {
    this.#clear()
    this.#output.write(`${lines.join('\n')}\n`)
  }

  #clear(): void {
    if (this.#hasLine) this.#output.write('\r\u001b[2K')
    this.#hasLine = false
  }
}
