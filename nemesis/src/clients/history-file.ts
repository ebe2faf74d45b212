import { closeSync, openSync, writeSync } from 'node:fs'

/** Lines that wait at most, and for how long, ms. */
const linesMax = 2_000
const flushMs = 20

/** A file of events, one JSON text a line. What was added before `flush` is in the file after it. */
export class HistoryFile {
  readonly #file: number
  #lines: string[] = []
  readonly #timer: NodeJS.Timeout

  /** Goes on behind what the file has. */
  constructor(path: string) {
    this.#file = openSync(path, 'a')
    this.#timer = setInterval(() => this.flush(), flushMs)
  }

  /** Adds an event. */
  add(event: object): void {
    this.#lines.push(`${JSON.stringify(event)}\n`)
    if (this.#lines.length >= linesMax) this.flush()
  }

  flush(): void {
    if (this.#lines.length === 0) return
    writeSync(this.#file, this.#lines.join(''))
    this.#lines = []
  }

  close(): void {
    clearInterval(this.#timer)
    this.flush()
    closeSync(this.#file)
  }
}
