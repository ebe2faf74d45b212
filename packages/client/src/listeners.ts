/** Functions that are called when something happens. */
export class Listeners<Arguments extends readonly unknown[]> {
  readonly #listeners = new Set<{ readonly call: (...args: Arguments) => void }>()

  /** Adds a function, as often as it is given; returns what removes it. */
  add(listener: (...args: Arguments) => void): () => void {
    const entry = { call: listener }
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  /** Calls all; one that throws is an uncaught error of its own and keeps none from being called. */
  call(...args: Arguments): void {
    for (const entry of [...this.#listeners]) {
      if (this.#listeners.has(entry)) guarded(() => entry.call(...args))
    }
  }
}

/** Runs the application's code, whose throw must not end ours. */
export function guarded(run: () => void): void {
  try {
    run()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
