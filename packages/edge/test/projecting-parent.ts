import { sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import type { LinkFrame } from '@fanfold/protocol'

/** What a parent does to frames before it sends them: nothing above the ceiling that it has said goes out. */
export class ProjectingParent {
  readonly #chain = new Chain(sha256)
  #ceiling = 0
  #pieces = 0

  /** The frame as it is sent, if it is. */
  project(frame: LinkFrame): LinkFrame[] {
    switch (frame.kind) {
      case 'welcome':
        this.#ceiling = frame.ceiling
        return [frame]
      case 'records': {
        const records = frame.records.map(record => this.#chain.project(record, this.#ceiling))
        return [{ ...frame, records }]
      }
      case 'snapshot-begin': {
        const pieces = frame.manifest.pieces.filter(({ tag }) => tag <= this.#ceiling)
        this.#pieces = pieces.length
        return [{ ...frame, manifest: { ...frame.manifest, pieces } }]
      }
      case 'snapshot-piece':
        return frame.index < this.#pieces ? [frame] : []
      default:
        return [frame]
    }
  }
}
