/*
 * How much joining is done before everybody else has a turn.
 *
 * A thousand viewers that come at once are let in by slices: one ends when so many bytes were written
 * out for them, and the next begins with a tick, after the sockets had their turn. Bytes stand for
 * time, of which a machine knows nothing inside a turn: some 100 MB are written out in a second, and
 * to let a viewer in and write to its socket costs as much as 8 kB.
 */
import { between, type Instant, milliseconds } from '@fanfold/kernel'

/** What it costs to let one viewer in, whatever it is sent. */
const viewerBytes = 8_192
/** A slice of which nothing was heard for so long is over: there was time for others. */
const sliceMax = milliseconds(10)

/** The slice of now. */
export class Slice {
  readonly #bytesMax: number
  #heardAt = 0 as Instant
  #bytes = 0

  /** @param bytesMax where a slice ends */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** True when nobody more is let in before the next slice. */
  get isSpent(): boolean {
    return this.#bytes >= this.#bytesMax
  }

  /** Something happens: a slice that is long over gives way to the next, not one that goes on and on. */
  pass(now: Instant): void {
    if (between(this.#heardAt, now) >= sliceMax) this.#bytes = 0
    this.#heardAt = now
  }

  /** The next slice begins. */
  renew(now: Instant): void {
    this.#heardAt = now
    this.#bytes = 0
  }

  /** So many bytes were written out. */
  spend(bytes: number): void {
    this.#bytes += bytes
  }

  /** A viewer was let in. */
  spendViewer(): void {
    this.#bytes += viewerBytes
  }
}
