import type { PackedPiece } from '@fanfold/document'
import type { EffectSink, Instant } from '@fanfold/kernel'
import {
  type LinkEffect,
  type LogRecord,
  ProtocolError,
  type SnapshotManifest,
} from '@fanfold/protocol'
import { snapshotBytes } from './snapshot-assembly.ts'
import { SnapshotIntake } from './snapshot-intake.ts'
import type { StreamCore } from './stream-core.ts'
import type { UpstreamEvent } from './upstream-event.ts'

/** What became of a snapshot's frame. */
export type SnapshotStep =
  | { readonly kind: 'events'; readonly events: UpstreamEvent[] }
  /** The snapshot is not taken, now or at all. */
  | {
      readonly kind: 'refused'
      readonly code: 'FANFOLD_TOO_LARGE' | 'FANFOLD_OVERLOADED'
      readonly message: string
    }
  /** All of it is here; the records came behind it. */
  | {
      readonly kind: 'complete'
      readonly events: UpstreamEvent[]
      readonly waiting: readonly LogRecord[]
    }

const damaged: UpstreamEvent = { kind: 'piece-damaged' }

const told = (events: UpstreamEvent[]): SnapshotStep => ({ kind: 'events', events })

/** Takes a snapshot in: from its manifest to the last of its pieces. */
export class SnapshotStage {
  readonly #core: StreamCore

  constructor(core: StreamCore) {
    this.#core = core
  }

  /**
   * Takes the manifest.
   *
   * @throws ProtocolError when it has pieces above the ceiling under which the stream is
   */
  begin(manifest: SnapshotManifest, now: Instant, effects: EffectSink<LinkEffect>): SnapshotStep {
    const core = this.#core
    const { nextCeiling } = core.held
    if (manifest.pieces.some(({ tag }) => tag > nextCeiling)) {
      const message = `a snapshot without pieces above the ceiling ${nextCeiling}`
      throw new ProtocolError('FANFOLD_BAD_FRAME', message)
    }
    // A child that fell off the parent's ring gets a snapshot without having asked.
    if (core.state === 'live') {
      core.catchUp.begin(now)
      core.catchUp.aim(manifest.at.seq)
    }
    core.state = 'assembling'
    const patience = core.awaitAnswer(now)
    core.getsOn()
    // What waited for the one before has used up credit, and is covered by this one.
    const unpaid = core.intake?.waitingBytes ?? 0
    core.dropIntake()
    if (unpaid > 0) core.line.giveCredit(unpaid, effects, core.channel)
    const { limits, node } = core
    const bytes = snapshotBytes(manifest)
    if (bytes > limits.snapshotBytesMax) {
      const message = `a snapshot of at most ${limits.snapshotBytesMax} bytes, got ${bytes}`
      return { kind: 'refused', code: 'FANFOLD_TOO_LARGE', message }
    }
    // Going back is only for a new epoch: a parent that is behind is asked again later.
    if (core.held.isPast(manifest.at)) return told(core.resync('gap', now, effects))
    core.intake = SnapshotIntake.begin({
      manifest,
      sha256: node.sha256,
      packer: node.packer,
      budget: node.budget,
      patience,
      waitingBytesMax: limits.creditBytes,
      now,
    })
    if (core.intake !== undefined) {
      node.budget.leave(core.doc)
      return this.#complete()
    }
    const message = `a snapshot of ${bytes} bytes waits its turn, ${node.budget.count} are under way`
    return { kind: 'refused', code: 'FANFOLD_OVERLOADED', message }
  }

  /** Takes a piece. */
  take(
    index: number,
    piece: PackedPiece,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): SnapshotStep {
    const core = this.#core
    const taken = core.intake?.take(index, piece, now) ?? 'unwanted'
    if (taken === 'unwanted') return told([])
    if (taken === 'damaged-again') return told([damaged, ...core.resync('piece', now, effects)])
    if (taken === 'damaged') {
      this.#request([index], effects)
      return told([damaged])
    }
    const step = this.#complete()
    if (core.intake?.isAskDue === true) this.askForMissing(effects)
    return step
  }

  /** Keeps records that follow the snapshot until it is here: all pieces were sent before them. */
  keep(
    records: readonly LogRecord[],
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const { intake } = this.#core
    if (intake?.keep(records) !== true) return this.#core.resync('gap', now, effects)
    if (intake.isAskDue) this.askForMissing(effects)
    return []
  }

  /** Asks for the next pieces that are missing. */
  askForMissing(effects: EffectSink<LinkEffect>): void {
    const { intake } = this.#core
    if (intake !== undefined) this.#request(intake.ask(), effects)
  }

  #request(indexes: readonly number[], effects: EffectSink<LinkEffect>): void {
    const { channel, line } = this.#core
    if (channel === undefined || indexes.length === 0) return
    line.send({ kind: 'request-pieces', channel, indexes }, effects)
  }

  #complete(): SnapshotStep {
    const core = this.#core
    const snapshot = core.intake?.snapshot
    if (core.intake === undefined || snapshot === undefined) return told([])
    const { waiting } = core.intake
    core.dropIntake()
    core.goLive()
    core.settleTrouble(core.held.replace(snapshot.manifest.at))
    const isElsewhere = core.failedOver !== undefined && core.failedOver !== core.line.link
    core.catchUp.by(isElsewhere ? 'snapshot-elsewhere' : 'snapshot')
    const { isApart } = core.held
    const events: UpstreamEvent[] = [{ kind: 'reset', snapshot, isApart }, { kind: 'joined' }]
    return { kind: 'complete', events, waiting }
  }
}
