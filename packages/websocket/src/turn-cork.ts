/** A stream that can hold back what is written to it. */
export interface Corkable {
  cork(): void
  uncork(): void
}

/**
 * Joins what is written to sockets in one turn of the event loop into one write each.
 *
 * `setImmediate` runs when all sockets that were readable have been read: what one turn's inputs
 * lead to leaves together, and an idle process delays nothing.
 */
export class TurnCork {
  readonly #corked = new Set<Corkable>()
  #isScheduled = false

  /** Holds back what is written to `socket` until the turn ends. */
  cork(socket: Corkable): void {
    if (this.#corked.has(socket)) return
    this.#corked.add(socket)
    socket.cork()
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.flush())
  }

  /** Lets go of what `socket` holds back. */
  uncork(socket: Corkable): void {
    if (this.#corked.delete(socket)) socket.uncork()
  }

  /** Lets go of everything. */
  flush(): void {
    this.#isScheduled = false
    for (const socket of this.#corked) socket.uncork()
    this.#corked.clear()
  }
}
