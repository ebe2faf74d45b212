/*
 * What an edge does with the tokens of its viewers, as production's client connections do: one that is
 * shown on an open connection is looked at for a moment, in which nothing else of that viewer is read;
 * and once a second it is looked whose token has ended, by the wall clock of the process.
 */
import { type Duration, encodeUtf8, milliseconds, type Prng } from '@fanfold/kernel'
import type { Grants } from '@fanfold/protocol'
import type { RimViewer } from './rim-viewer.ts'
import type { Downward, Upward } from './viewer-socket.ts'
import { decodeToken } from './viewer-tokens.ts'
import type { VirtualClock } from './virtual-clock.ts'

type Viewer = RimViewer<Upward, Downward>

/** How often it is looked whose token has ended. */
const sweepEvery: Duration = milliseconds(1_000)
/** It takes no longer to look at a token. */
const verifyMaxMs = 20

/** The tokens of the viewers of one edge. */
export class RimTokens {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #wallMs: () => number
  readonly #perform: (task: () => void) => void
  readonly #renewed: (viewer: Viewer, grants: Grants) => void
  readonly #close: (viewer: Viewer) => void

  constructor(options: {
    readonly clock: VirtualClock
    /** A stream of its own. */
    readonly prng: Prng
    /** What the process takes for the time, ms since 1970. */
    readonly wallMs: () => number
    /** Does something when the process comes to it. */
    readonly perform: (task: () => void) => void
    /** A token that is good takes the place of the one before. */
    readonly renewed: (viewer: Viewer, grants: Grants) => void
    /** The viewer has been told that its token is not good: its connection ends. */
    readonly close: (viewer: Viewer) => void
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#wallMs = options.wallMs
    this.#perform = options.perform
    this.#renewed = options.renewed
    this.#close = options.close
  }

  /** Takes the token that a viewer comes with; false, and the viewer is turned away, when it has ended. */
  admit(viewer: Viewer, { expiresAtMs }: Grants): boolean {
    if (this.#isOver(expiresAtMs)) {
      this.#refuse(viewer, 'the token has ended')
      return false
    }
    viewer.tokenEndsAtMs = expiresAtMs
    if (expiresAtMs !== undefined) this.#sweepLater(viewer)
    return true
  }

  /** Looks at a token that a viewer shows on its connection. */
  verify(viewer: Viewer, token: string): void {
    const grants = decodeToken(token)
    viewer.isVerifying = true
    this.#clock.in(milliseconds(this.#prng.below(verifyMaxMs)), () =>
      this.#perform(() => {
        if (viewer.isOver) return
        viewer.isVerifying = false
        if (this.admit(viewer, grants)) this.#renewed(viewer, grants)
      }),
    )
  }

  #isOver(expiresAtMs: number | undefined): boolean {
    return expiresAtMs !== undefined && expiresAtMs <= this.#wallMs()
  }

  #sweepLater(viewer: Viewer): void {
    if (viewer.isSwept) return
    viewer.isSwept = true
    this.#clock.in(sweepEvery, () =>
      this.#perform(() => {
        viewer.isSwept = false
        if (viewer.isOver || viewer.tokenEndsAtMs === undefined) return
        if (!this.#isOver(viewer.tokenEndsAtMs)) this.#sweepLater(viewer)
        else this.#refuse(viewer, 'the token has ended and was not renewed')
      }),
    )
  }

  #refuse(viewer: Viewer, message: string): void {
    const code = 'FANFOLD_UNAUTHORIZED'
    const frame = encodeUtf8(JSON.stringify({ type: 'refused', code, message }))
    viewer.down.send({ kind: 'frame', frame, note: undefined }, frame.length)
    viewer.down.send({ kind: 'close', reason: `${code}: ${message}`, how: 'unauthorized' }, 0)
    this.#close(viewer)
  }
}
