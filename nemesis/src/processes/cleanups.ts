const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * What must be undone before this process ends, however it ends: networks, mounts, processes. The last
 * that was done is undone first. Each way of undoing is synchronous and bounded in time.
 */
export class Cleanups {
  readonly #undo: (() => void)[] = []
  readonly #onExit = (): void => this.run()
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.run()
    process.exit(128 + (signal === 'SIGINT' ? 2 : signal === 'SIGTERM' ? 15 : 1))
  }

  constructor() {
    process.once('exit', this.#onExit)
    for (const signal of signals) process.once(signal, this.#onSignal)
  }

  /** Remembers how to undo what is about to be done. */
  add(undo: () => void): void {
    this.#undo.push(undo)
  }

  /** Undoes all, once. */
  run(): void {
    process.removeListener('exit', this.#onExit)
    for (const signal of signals) process.removeListener(signal, this.#onSignal)
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      try {
        undo()
      } catch (error) {
        process.stderr.write(`cleaning up: ${String(error)}\n`)
      }
    }
  }
}
