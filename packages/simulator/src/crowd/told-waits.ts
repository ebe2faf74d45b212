/*
 * Nodes say what crowds say no sooner than their parents want it: so long after what they said before as they were told with
 * its answer, by their own clocks. Who joins elsewhere, or once more, begins anew; what is not answered is said again.
 */
import { between, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey, PeerIdentity } from '@fanfold/protocol'
import { crowdLimits } from '@fanfold/reduction'

/** What rounding of times to whole microseconds, by one clock and by another, comes to. */
const slackMicros = 1_000

type Said = {
  readonly parent: string
  readonly number: number
  readonly at: Instant
  /** Undefined while it is not answered. */
  waitMs: number | undefined
}

/** What all nodes of a world were told to wait. */
export class ToldWaits {
  /** By how much a clock may go too fast. */
  readonly #clockDriftShare: number
  readonly #said = new Map<string, Said>()
  /** How often each may say something too soon: once for each time that it joined, or its stream began anew. */
  readonly #free = new Map<string, number>()

  constructor(clockDriftShare: number) {
    this.#clockDriftShare = clockDriftShare
  }

  /** A node says something; why it may not yet, in words. */
  says(
    child: PeerIdentity,
    parent: PeerIdentity,
    {
      doc,
      number,
      now,
    }: { readonly doc: DocumentKey; readonly number: number; readonly now: Instant },
  ): string | undefined {
    const key = keyOf(child, doc)
    const before = this.#said.get(key)
    this.#said.set(key, { parent: parent.node, number, at: now, waitMs: undefined })
    if (before?.parent !== parent.node || before.waitMs === undefined) return undefined
    const waitMs = Math.min(before.waitMs, crowdLimits.resendMs)
    const least = milliseconds(waitMs) / (1 + this.#clockDriftShare) - slackMicros
    const waited = between(before.at, now)
    if (waited >= least) return undefined
    const free = this.#free.get(key) ?? 0
    this.#free.set(key, Math.max(0, free - 1))
    if (free > 0) return undefined
    return `the next of ${doc} after ${waited / 1_000} ms, told to wait ${before.waitMs}`
  }

  /** What a node has said last is answered. */
  answered(child: PeerIdentity, doc: DocumentKey, number: number, waitMs: number): void {
    const said = this.#said.get(keyOf(child, doc))
    if (said?.number === number) said.waitMs = waitMs
  }

  /** A parent serves the document from now on, or sends it a snapshot. */
  joined(child: PeerIdentity, doc: DocumentKey): void {
    const key = keyOf(child, doc)
    this.#free.set(key, (this.#free.get(key) ?? 0) + 1)
  }
}

const keyOf = ({ node, incarnation }: PeerIdentity, doc: DocumentKey): string =>
  `${node} ${incarnation} ${doc}`
