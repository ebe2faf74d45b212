import type { Sha256 } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import { LoopSnapshots } from './loop-snapshots.ts'
import { ViewFraming } from './view-framing.ts'

/** What an edge does for large documents on the loop: one slice in a turn, over all documents. */
export class LargeWork {
  readonly snapshots: LoopSnapshots
  readonly framing: ViewFraming = new ViewFraming()
  readonly #changed: (doc: DocumentKey) => void

  /** @param changed told of a document whose viewers were served */
  constructor(sha256: Sha256, changed: (doc: DocumentKey) => void) {
    this.snapshots = new LoopSnapshots(sha256)
    this.#changed = changed
  }

  /** True when `tick` has something to do. */
  get isDue(): boolean {
    return this.framing.isDue || this.snapshots.isDue
  }

  /** Does one slice, first of what viewers wait for; the document of which no snapshot can be made, if so. */
  tick(): DocumentKey | undefined {
    if (!this.framing.isDue) return this.snapshots.tick()
    const doc = this.framing.tick()
    if (doc !== undefined) this.#changed(doc)
    return undefined
  }
}
