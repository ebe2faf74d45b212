/*
 * What an edge's viewers are sent one by one: frames at once, signals while a viewer is up to date,
 * frames of a transfer as there is room in the budget, and who has drained is led on.
 */
import { assert } from '@fanfold/kernel'
import type { CohortId, TransferId, ViewerInput } from '@fanfold/protocol'
import type { RimViewer } from './rim-viewer.ts'
import type { Downward, RimWatch } from './viewer-socket.ts'

type Viewer = RimViewer<unknown, Downward>
type Watch = Pick<RimWatch, 'frameGoes' | 'viewerIsBehind' | 'viewerIsLedOn'>

/** Frames on their way to the viewers of one edge. */
export class RimDelivery {
  readonly #budgetBytes: number
  readonly #receive: (input: ViewerInput) => void
  readonly #soon: (task: () => void) => void
  readonly #watch: Watch | undefined
  #largestFrameBytes = 0
  /** Who was just told of as drained. */
  #led: Viewer | undefined

  constructor(options: {
    /** Unsent bytes past which a viewer gets no more than it must have. */
    readonly budgetBytes: number
    readonly receive: (input: ViewerInput) => void
    /** Does something in an event of its own. */
    readonly soon: (task: () => void) => void
    readonly watch: Watch | undefined
  }) {
    this.#budgetBytes = options.budgetBytes
    this.#receive = options.receive
    this.#soon = options.soon
    this.#watch = options.watch
  }

  /** Bytes of the largest frame that was sent to somebody. */
  get largestFrameBytes(): number {
    return this.#largestFrameBytes
  }

  /** Whether a viewer holds so much that it is sent nothing that can wait. */
  isFull({ down }: Viewer): boolean {
    return down.unsentBytes > this.#budgetBytes
  }

  /** Sends a frame, for itself or as one of a cohort. */
  send(viewer: Viewer, frame: Uint8Array, cohort?: CohortId): void {
    if (this.#led === viewer) this.#watch?.viewerIsLedOn(frame)
    if (frame.length > this.#largestFrameBytes) this.#largestFrameBytes = frame.length
    const note = this.#watch?.frameGoes(viewer.id, frame, cohort)
    viewer.down.send({ kind: 'frame', frame, note }, frame.length)
  }

  /** Sends a signal, or keeps it while the viewer is behind. */
  signal(viewer: Viewer, key: string, frame: Uint8Array): void {
    if (!viewer.isUpToDate || this.isFull(viewer)) {
      viewer.signals.put(key, frame)
      return
    }
    // One that still waits is older.
    viewer.signals.delete(key)
    this.send(viewer, frame)
  }

  /** Sends these frames as fast as the viewer takes them. */
  transfer(viewer: Viewer, transfer: TransferId, frames: readonly Uint8Array[]): void {
    assert(frames.length > 0, `transfer ${transfer} has frames`)
    viewer.transfers.set(transfer, { frames, sent: 0 })
    this.goOnSoon(viewer)
  }

  /** Tells the edge where a viewer that has drained stood. */
  lead(viewer: Viewer): void {
    if (viewer.lost.size === 0) return
    const cohorts = [...viewer.lost].map(([cohort, mark]) => ({ cohort, mark }))
    viewer.lost.clear()
    for (const { cohort, mark } of cohorts) viewer.drained.set(cohort, mark)
    this.#led = viewer
    this.#watch?.viewerIsBehind(viewer.id)
    this.#receive({ kind: 'viewer-drained', viewer: viewer.id, cohorts })
    this.#led = undefined
  }

  /** Goes on in an event of its own. */
  goOnSoon(viewer: Viewer): void {
    this.#soon(() => {
      if (!viewer.isOver) this.goOn(viewer)
    })
  }

  /** Sends what waits for a viewer that is up to date, and of its transfers what there is room for. */
  goOn(viewer: Viewer): void {
    if (viewer.isUpToDate && !this.isFull(viewer)) {
      for (const frame of viewer.signals.takeAll()) this.send(viewer, frame)
    }
    // Who lags drains first.
    if (viewer.lost.size > 0) return
    if (viewer.transfers.size === 0) return
    for (const [id, transfer] of [...viewer.transfers]) {
      for (;;) {
        const frame = transfer.frames[transfer.sent]
        if (frame === undefined) break
        const { unsentBytes } = viewer.down
        if (unsentBytes > 0 && unsentBytes + frame.length > this.#budgetBytes) return
        transfer.sent++
        this.send(viewer, frame)
        if (transfer.sent === transfer.frames.length) this.#transferred(viewer, id)
      }
    }
  }

  #transferred(viewer: Viewer, transfer: TransferId): void {
    this.#soon(() => {
      if (viewer.isOver || !viewer.transfers.delete(transfer)) return
      this.#watch?.viewerIsBehind(viewer.id)
      this.#receive({ kind: 'viewer-transferred', viewer: viewer.id, transfer })
    })
  }
}
