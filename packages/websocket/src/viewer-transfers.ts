/*
 * Large things on their way to one viewer, as fast as it takes them: one transfer after the other, and
 * of each an index into frames that many viewers share.
 */
import { SmallMap } from '@fanfold/kernel'
import type { TransferId } from '@fanfold/protocol'

type Transfer = {
  readonly id: TransferId
  readonly frames: readonly Uint8Array[]
  readonly mayCompress: boolean
  next: number
}

/** The transfers of one viewer. */
export class ViewerTransfers {
  readonly #transfers = new SmallMap<TransferId, Transfer>()

  /** How many are under way or wait. */
  get size(): number {
    return this.#transfers.size
  }

  /** Adds a transfer behind the others. */
  add(id: TransferId, frames: readonly Uint8Array[], mayCompress: boolean): void {
    this.#transfers.set(id, { id, frames, mayCompress, next: 0 })
  }

  /** Lets go of what was not handed over of a transfer. */
  end(id: TransferId): void {
    this.#transfers.delete(id)
  }

  /** Hands over frames while there is room for the next; `done` is told of transfers that are through. */
  feed(port: {
    hasRoomFor(bytes: number): boolean
    send(frame: Uint8Array, mayCompress: boolean): void
    done(id: TransferId): void
  }): void {
    for (const [, transfer] of this.#transfers) {
      for (
        let frame = transfer.frames[transfer.next];
        frame !== undefined;
        frame = transfer.frames[transfer.next]
      ) {
        if (!port.hasRoomFor(frame.length)) return
        transfer.next++
        port.send(frame, transfer.mayCompress)
      }
      this.#transfers.delete(transfer.id)
      port.done(transfer.id)
    }
  }
}
