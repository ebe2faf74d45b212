import type { EffectSink, Instant } from '@fanfold/kernel'
import { type LinkEffect, type LinkFrame, meaningOf } from '@fanfold/protocol'
import type { StreamCore } from './stream-core.ts'
import type { UpstreamEvent } from './upstream-event.ts'

/**
 * Takes the log in from the authority, passed on by the parents between. It goes on from what is held;
 * where nothing held is worth that, it begins with the first record, beside what is shown.
 */
export class ReplayStage {
  readonly #core: StreamCore

  constructor(core: StreamCore) {
    this.#core = core
  }

  /** Takes the next records. */
  take(
    frame: Extract<LinkFrame, { kind: 'replay' }>,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const core = this.#core
    const { held, line } = core
    core.answered(now)
    core.getsOn()
    const events = core.lowerTo(frame.ceiling)
    if (held.isOtherThan(frame.ceiling)) {
      held.giveUp()
      return [...events, ...core.resync('ceiling', now, effects)]
    }
    if (frame.records.length === 0) return events
    if (!held.isWorth) {
      held.beginApart(frame.ceiling)
      events.push({ kind: 'replay-began' })
    }
    core.catchUp.by('replay')
    const checked = core.check(frame.records)
    line.came(checked.bytes)
    events.push(...core.handOn(checked))
    if (checked.broken !== undefined) {
      // From the first record on, what verified is what the log says: it stays.
      if (checked.broken === 'hash' && !held.isApart) held.distrust()
      return [...events, ...core.resync(checked.broken, now, effects)]
    }
    line.giveReplayCredit(checked.bytes, effects)
    if (line.isCreditHeld) core.endWait()
    else core.awaitAnswer(now)
    return events
  }

  /** The replay is over: the stream goes on from it, or asks for the rest of it later. */
  end(
    frame: Extract<LinkFrame, { kind: 'replay-ended' }>,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const core = this.#core
    const { code, message, retryAfterMs } = frame
    core.line.endReplay()
    core.answered(now)
    core.getsOn()
    if (code !== undefined) {
      if (core.isHadElsewhere(code) && core.leaveForAnother(now, effects)) {
        core.isReplayDue = false
        return [{ kind: 'refused', code, message, final: false }]
      }
      // What cannot be had as a log may still be had as a snapshot.
      if (!meaningOf(code).retry) core.isReplayDue = false
      core.waitAtLeast(retryAfterMs, now)
      return [{ kind: 'refused', code, message, final: false }]
    }
    core.isReplayDue = false
    core.takesTailAlone = true
    core.replayEnds.ended(core.held.position)
    core.ask(now, effects)
    return core.shown()
  }
}
