/*
 * Links between roles in one process: the link port without sockets.
 *
 * Frames are handed over as they are, never copied and never inside the turn that sent them. A side
 * that sends more than the other side is given per turn becomes congested as on a socket.
 */
import { unreachable } from '@fanfold/kernel'
import {
  type ErrorCode,
  type LinkEffect,
  type LinkId,
  type LinkInput,
  limits,
  type PeerIdentity,
} from '@fanfold/protocol'
import { InputQueue } from './input-queue.ts'
import { SignalLane } from './signal-lane.ts'
import type { TurnShare } from './turn-share.ts'

/** Limits of links inside a process; the first two mean what they mean on a socket. */
export type InProcessLimits = {
  readonly bufferedBytesMax: number
  readonly bufferedBytesCap: number
  /** Bytes one link delivers in one turn, and one frame beyond. Default 256 KiB. */
  readonly bytesPerTurnMax: number
}

/** Defaults of `InProcessLimits`. */
export const inProcessLimitsDefault: InProcessLimits = {
  bufferedBytesMax: 1_048_576,
  bufferedBytesCap: 4_194_304,
  bytesPerTurnMax: 262_144,
}

/** One end of a link, and what is on its way to the other. */
class LinkEnd {
  readonly id: LinkId
  readonly owner: InProcessLinks
  readonly inputs: InputQueue<LinkInput>
  other: LinkEnd | undefined
  frames: Uint8Array[] = []
  bytes = 0
  readonly signals = new SignalLane<Uint8Array>({ signalsMax: limits.signalsWaitingMax.value })
  isCongested = false
  isScheduled = false
  isOpen = false
  /** Set by the close that both ends report; frames sent before are lost. */
  isClosed = false

  constructor(owner: InProcessLinks, inputs: InputQueue<LinkInput>, id: LinkId) {
    this.owner = owner
    this.inputs = inputs
    this.id = id
  }
}

/** The links of one role that lead to other roles of the process. */
export class InProcessLinks {
  readonly #identity: PeerIdentity
  readonly #nextLink: () => LinkId
  readonly #inputs: InputQueue<LinkInput>
  readonly #limits: InProcessLimits
  readonly #share: TurnShare
  readonly #defer: (task: () => void) => void
  readonly #ends = new Map<LinkId, LinkEnd>()
  #isClosed = false

  constructor(options: {
    /** Who peers are told this side is. */
    readonly identity: PeerIdentity
    /** Names for links, unique in the process. */
    readonly nextLink: () => LinkId
    /** Takes what happens; never called from inside `perform` or `connect`. */
    readonly report: (input: LinkInput) => void
    readonly limits: InProcessLimits
    /** What frames that come in may use of a turn of the event loop. */
    readonly share: TurnShare
    /** Runs a task in a later turn, tasks in the order given: `setImmediate` but in tests. */
    readonly defer: (task: () => void) => void
  }) {
    this.#identity = options.identity
    this.#nextLink = options.nextLink
    this.#inputs = new InputQueue(options.report)
    this.#limits = options.limits
    this.#share = options.share
    this.#defer = options.defer
  }

  /** Opens a link from this role, the one that dials, to `listener`. */
  connect(listener: InProcessLinks): LinkId {
    const own = new LinkEnd(this, this.#inputs, this.#nextLink())
    const other = new LinkEnd(listener, listener.#inputs, listener.#nextLink())
    own.other = other
    other.other = own
    this.#ends.set(own.id, own)
    listener.#ends.set(other.id, other)
    const toThis = { peer: listener.#identity, dialled: true }
    const toListener = { peer: this.#identity, dialled: false }
    this.#defer(() => {
      if (this.#isClosed || listener.#isClosed) {
        this.#close(own, 'refused: the role is closed')
        return
      }
      if (own.isClosed) return
      own.isOpen = true
      other.isOpen = true
      listener.#inputs.report({ kind: 'link-opened', link: other.id, ...toListener })
      this.#inputs.report({ kind: 'link-opened', link: own.id, ...toThis })
    })
    return own.id
  }

  /** Does what a machine wants done. A link that is closed, or was never there, loses what is sent. */
  perform(effect: LinkEffect): void {
    const end = this.#ends.get(effect.link)
    if (end === undefined || end.isClosed) return
    this.#inputs.perform(() => {
      switch (effect.kind) {
        case 'link-send':
          this.#send(end, effect.frame)
          return
        case 'link-signal':
          if (end.isCongested) end.signals.put(effect.key, effect.frame)
          else this.#send(end, effect.frame)
          return
        case 'link-close':
          this.#close(end, `${effect.code}: ${effect.message}`)
          return
        default:
          unreachable(effect)
      }
    })
  }

  /** Closes every link; the others are told. Reports nothing any more. May be called twice. */
  close(): void {
    this.#isClosed = true
    this.#inputs.close()
    for (const end of [...this.#ends.values()]) this.#close(end, 'closed: the role stops')
  }

  /** Closes every link as a node that drains does. Each is reported closed. */
  drain(): void {
    const code: ErrorCode = 'FANFOLD_DRAINING'
    for (const link of [...this.#ends.keys()]) {
      this.perform({ kind: 'link-close', link, code, message: 'the node is going away' })
    }
  }

  #send(end: LinkEnd, frame: Uint8Array): void {
    if (frame.length > limits.linkFrameBytesMax.value) {
      this.#close(end, `frame-too-large: ${frame.length} bytes`)
    } else if (end.bytes > this.#limits.bufferedBytesCap) {
      this.#close(end, `overloaded: ${this.#limits.bufferedBytesCap} bytes unsent`)
    } else {
      end.frames.push(frame)
      end.bytes += frame.length
      if (!end.isCongested && end.bytes > this.#limits.bufferedBytesMax) {
        end.isCongested = true
        this.#inputs.report({ kind: 'link-congested', link: end.id })
      }
      this.#schedule(end)
    }
  }

  #sendSignals(end: LinkEnd): void {
    while (!end.isCongested && !end.isClosed && end.signals.size > 0) {
      const frame = end.signals.shift()
      if (frame !== undefined) this.#send(end, frame)
    }
  }

  #schedule(end: LinkEnd): void {
    if (end.isScheduled) return
    end.isScheduled = true
    this.#defer(() => {
      end.isScheduled = false
      this.#deliver(end)
    })
  }

  #deliver(end: LinkEnd): void {
    const { other } = end
    if (other === undefined) return
    let delivered = 0
    let count = 0
    // A receiver may close the link at any frame.
    for (const frame of end.frames) {
      if (end.isClosed || delivered >= this.#limits.bytesPerTurnMax) break
      if (other.owner.#share.isSpent && count > 0) break
      delivered += frame.length
      count++
      other.inputs.report({ kind: 'link-frame', link: other.id, frame })
    }
    if (end.isClosed) return
    end.frames.splice(0, count)
    end.bytes -= delivered
    if (end.isCongested && end.bytes * 2 < this.#limits.bufferedBytesMax) {
      end.isCongested = false
      this.#inputs.report({ kind: 'link-drained', link: end.id })
      this.#sendSignals(end)
    }
    if (end.frames.length > 0) this.#schedule(end)
  }

  #close(end: LinkEnd, reason: string): void {
    if (end.isClosed) return
    const { other } = end
    const sentBefore = end.bytes > this.#limits.bufferedBytesCap ? [] : end.frames
    this.#forget(end)
    this.#inputs.report({ kind: 'link-closed', link: end.id, reason })
    if (other === undefined) return
    other.isClosed = true
    other.frames = []
    this.#defer(() => {
      other.owner.#forget(other)
      if (!other.isOpen) return
      for (const frame of sentBefore) {
        other.inputs.report({ kind: 'link-frame', link: other.id, frame })
      }
      other.inputs.report({ kind: 'link-closed', link: other.id, reason })
    })
  }

  #forget(end: LinkEnd): void {
    end.isClosed = true
    end.frames = []
    this.#ends.delete(end.id)
  }
}
