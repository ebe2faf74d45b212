/*
 * How much one viewer may hold: bytes that were written and that it has not confirmed, wherever they are.
 *
 * What the kernel and the network took says nothing: their buffers hold minutes of a slow line. So marks
 * are put between the bytes, probes, and the answer to a probe confirms all before it. Answers that come
 * within a second are what is wanted, and the window stays as wide as the budget; a viewer that takes
 * longer gets a window of what it was seen to take in a second, so that what waits for it is at most about
 * a second old; on a line that takes as long for a change of its own, of three quarters of that, and it has
 * drained later. The window widens again when the viewer takes quickly what fills it. Where no answer
 * comes at all for a second, all that it holds counts as too much.
 *
 * A start as wide as the budget lets a snapshot through at once, and a line that turns out to be slow is
 * found out a second later. Time is an argument: real time for rates, and for what is overdue the time
 * that this process was awake, or a pause of ours would be laid at the viewer's door.
 */
import { assert } from '@fanfold/kernel'

/** A window up to this is narrow, bytes: a second at 128 kbit/s. */
const narrowBytes = 16_384
/** The least a window may be, bytes: three quarters of a second at 64 kbit/s. */
export const windowBytesMin = 6_144
/**
 * Bytes from one probe to the next, about: a quarter of the window between these two where answers do
 * not come quickly, and where they do the bytes of a second, so that a probe a second is enough.
 */
const closeProbeBytes = { min: 1_024, max: 4_096 } as const
const quickProbeBytes = { min: 16_384, max: 65_536 } as const
/** Between these is the first probe, by chance: viewers that came together would all answer to one and the same frame. */
const firstProbeBytes = { min: 1_024, max: 4_096 } as const
/**
 * What any line takes that is worth serving, bytes per second: while a viewer is sent no more, and has answered quickly
 * as far as it was asked, a probe may be put off, a few bytes at a time.
 */
const calmBytesPerSecond = windowBytesMin
const putOffBytes = 2_048
/** Probes that wait for their answers, at most. */
const probesMax = 32
/** Answers within this time are quick, ms: a window that they fill is too narrow, and a few probes will do. */
const quickMs = 250
/** Answers after this time are slow, ms: the window becomes what the viewer takes in a second, or less. */
const slowMs = 700
/** A probe that has waited so long is overdue, ms awake; a time awake is known to 250 ms. */
const overdueMs = 1_250
/** Steps between no jitter of probes and all of it, which is a quarter. */
const jitterSteps = 1_024
/** A rate is measured over this time at least, ms. */
const measureMs = 250

/** A probe on its way; `bytes` were written before it. */
type Probe = {
  readonly nonce: number
  readonly bytes: number
  /** What the viewer held when it was sent. */
  readonly heldBytes: number
  readonly sentAtMs: number
  readonly sentAtAwakeMs: number
}

/** Two clocks: real time, and time that this process was awake; ms. */
export type Moment = { readonly nowMs: number; readonly awakeMs: number }

/** What one viewer holds and may hold. */
export class DeliveryWindow {
  readonly #bytesMax: number
  readonly #bytesMin: number
  #windowBytes: number
  #writtenBytes = 0
  #confirmedBytes = 0
  /** Bytes from one probe to the next, and where the next one is due. */
  #probeEveryBytes: number = closeProbeBytes.min
  #probeAtBytes: number
  #probedBytes = 0
  /** By how many steps the next probe is early. */
  #jitter = 0
  /** The oldest first; none while none is on its way, as a list that was pushed to keeps its room. */
  #probes: Probe[] | undefined
  #isOverdue = false
  /** Whether the last answer was quick; true before the first. */
  #isQuick = true
  /** Where it was seen last how much the viewer is sent, ms and bytes. */
  #seenAtMs = 0
  #seenBytes = 0
  /** Where the measuring of the rate began. */
  #sinceMs = 0
  #sinceBytes = 0

  constructor(options: {
    /** What the window is at most and at first, bytes. */
    readonly bytesMax: number
    /** How late the first probe is, by chance: 0 to 1. */
    readonly firstProbe: number
  }) {
    this.#bytesMax = options.bytesMax
    this.#bytesMin = Math.min(windowBytesMin, options.bytesMax)
    this.#windowBytes = options.bytesMax
    const { min, max } = firstProbeBytes
    this.#probeAtBytes = min + Math.floor((max - min) * options.firstProbe)
  }

  /** Bytes that were written and not confirmed. */
  get heldBytes(): number {
    return this.#writtenBytes - this.#confirmedBytes
  }

  /** Bytes that may be held. */
  get windowBytes(): number {
    return this.#windowBytes
  }

  /** Bytes that were confirmed so far. */
  get confirmedBytes(): number {
    return this.#confirmedBytes
  }

  /** Bytes written so far. */
  get writtenBytes(): number {
    return this.#writtenBytes
  }

  /** True while nothing is held: the next byte begins a measuring. */
  get isIdle(): boolean {
    return this.#writtenBytes === this.#confirmedBytes
  }

  /** True while more is held than may be. */
  get isOver(): boolean {
    return this.#writtenBytes - this.#confirmedBytes > this.#windowBytes || this.#isOverdue
  }

  /**
   * True while at most half of what may be held is, or a quarter where that is narrow: what waited behind
   * more would be older than it has to be.
   */
  get isDrained(): boolean {
    const share = this.#windowBytes <= narrowBytes ? 4 : 2
    return this.heldBytes * share <= this.#windowBytes && !this.#isOverdue
  }

  /**
   * Bytes that may be written with nothing to look at between: the window stays within its bounds, and no
   * probe is due. 0 while nothing is held, as what comes next begins a measuring.
   */
  get freeBytes(): number {
    if (this.isIdle || this.isOver) return 0
    const toProbe = this.#probeAtBytes - 1 - this.#writtenBytes
    return Math.max(0, Math.min(toProbe, this.#windowBytes - this.heldBytes))
  }

  /** True while a probe waits for its answer. */
  get isProbing(): boolean {
    return this.#probes !== undefined
  }

  /** True when so many bytes more would still leave a quarter of the window to others. */
  hasRoomFor(bytes: number): boolean {
    if (this.#isOverdue) return false
    return this.isIdle || (this.heldBytes + bytes) * 4 <= this.#windowBytes * 3
  }

  /** The next bytes begin to be held at `nowMs`, after nothing was. */
  begin(nowMs: number): void {
    this.#see(nowMs)
    this.#measure(nowMs)
  }

  #measure(nowMs: number): void {
    this.#sinceMs = nowMs
    this.#sinceBytes = this.#confirmedBytes
  }

  /** True when a probe is to go out at `nowMs`; one that may wait is put off. */
  takeDueProbe(nowMs: number): boolean {
    if (this.#writtenBytes < this.#probeAtBytes) return false
    if ((this.#probes?.length ?? 0) >= probesMax) return false
    return !this.#putOff(nowMs)
  }

  #putOff(nowMs: number): boolean {
    const bytes = this.#writtenBytes - this.#seenBytes
    const isCalm = bytes * 1_000 <= calmBytesPerSecond * (nowMs - this.#seenAtMs)
    this.#see(nowMs)
    const untilBytes = this.#writtenBytes + putOffBytes
    const isNear = untilBytes - this.#probedBytes <= quickProbeBytes.min
    if (!this.#isQuick || !isCalm || !isNear) return false
    this.#probeAtBytes = untilBytes
    return true
  }

  #see(nowMs: number): void {
    this.#seenAtMs = nowMs
    this.#seenBytes = this.#writtenBytes
  }

  /** So many bytes were written. */
  wrote(bytes: number): void {
    this.#writtenBytes += bytes
  }

  /** A probe goes out behind all that was written; its answer will name the nonce. */
  probe(nonce: number, { nowMs, awakeMs }: Moment): void {
    const heldBytes = this.heldBytes
    const bytes = this.#writtenBytes
    const probe = { nonce, bytes, heldBytes, sentAtMs: nowMs, sentAtAwakeMs: awakeMs }
    if (this.#probes === undefined) this.#probes = [probe]
    else this.#probes.push(probe)
    this.#probedBytes = bytes
    // Viewers of one cohort get the same bytes: by chance their probes keep from leaving all at once.
    this.#jitter = nonce % jitterSteps
    this.#aim()
  }

  /**
   * The viewer has answered the probe of `nonce`, and so has all that was written before. An answer to
   * a later probe is one to all before it.
   *
   * @returns false when no such probe is on its way
   */
  confirm(nonce: number, { nowMs, awakeMs }: Moment): boolean {
    const probes = this.#probes ?? []
    const index = probes.findIndex(probe => probe.nonce === nonce)
    const probe = probes[index]
    if (probe === undefined) return false
    const isLast = index === probes.length - 1
    this.#probes = isLast ? undefined : probes.slice(index + 1)
    assert(
      probe.bytes >= this.#confirmedBytes && probe.bytes <= this.#writtenBytes,
      `${probe.bytes} bytes between ${this.#confirmedBytes} confirmed and ${this.#writtenBytes} written`,
    )
    this.#confirmedBytes = probe.bytes
    this.judge(awakeMs)
    this.#adapt(probe, nowMs)
    return true
  }

  /** Whether an answer is overdue at `awakeMs`; to be called several times a second. */
  judge(awakeMs: number): void {
    const oldest = this.#probes?.[0]
    this.#isOverdue = oldest !== undefined && awakeMs - oldest.sentAtAwakeMs >= overdueMs
  }

  #adapt(probe: Probe, nowMs: number): void {
    const delayMs = nowMs - probe.sentAtMs
    this.#isQuick = delayMs <= quickMs
    const elapsedMs = nowMs - this.#sinceMs
    const perSecondBytes =
      elapsedMs < measureMs
        ? undefined
        : Math.round(((this.#confirmedBytes - this.#sinceBytes) * 1_000) / elapsedMs)
    if (delayMs > slowMs) {
      if (perSecondBytes !== undefined) this.#resize(worthBytes(perSecondBytes))
    } else if (this.#isQuick) {
      if (probe.heldBytes * 2 >= this.#windowBytes) this.#resize(this.#windowBytes * 2)
    } else if (perSecondBytes !== undefined) {
      this.#resize(Math.max(this.#windowBytes, perSecondBytes))
    }
    if (perSecondBytes !== undefined) this.#measure(nowMs)
    const quarter = Math.ceil(this.#windowBytes / 4)
    const close = between(quarter, closeProbeBytes)
    const aSecond = between(perSecondBytes ?? this.#probeEveryBytes, quickProbeBytes)
    this.#probeEveryBytes = this.#isQuick ? Math.max(close, Math.min(quarter, aSecond)) : close
    this.#aim()
  }

  #aim(): void {
    const early = (this.#probeEveryBytes * this.#jitter) / (4 * jitterSteps)
    this.#probeAtBytes = this.#probedBytes + this.#probeEveryBytes - Math.floor(early)
  }

  #resize(bytes: number): void {
    this.#windowBytes = Math.min(this.#bytesMax, Math.max(this.#bytesMin, bytes))
  }
}

/** What a slow viewer may hold that takes so many bytes in a second. */
const worthBytes = (perSecondBytes: number): number =>
  perSecondBytes <= narrowBytes ? Math.round(perSecondBytes * 0.75) : perSecondBytes

function between(value: number, range: { readonly min: number; readonly max: number }): number {
  return Math.min(range.max, Math.max(range.min, value))
}
