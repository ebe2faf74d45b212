/*
 * The warm store port: what a proxy had, kept over a restart, so that it asks its parent for the tail
 * alone. It is a convenience and no log: what is lost, late or damaged costs a snapshot from the parent,
 * and what was kept is believed only as far as its digests and its chain hashes verify.
 */
import type { DocumentKey, LogRecord } from '@fanfold/protocol'
import type { Snapshot } from './snapshot.ts'

/** A document as it is kept: a snapshot and the records after it, under one ceiling. */
export type WarmDocument = {
  readonly snapshot: Snapshot
  readonly records: readonly LogRecord[]
  /** Highest tag of a part in it. */
  readonly ceiling: number
}

/** The warm store port, what to do. */
export type WarmEffect =
  /** Answered once by `warm-read`. */
  | { readonly kind: 'warm-read'; readonly doc: DocumentKey }
  /** Takes the place of what was kept of the document; answered once by `warm-kept`. */
  | { readonly kind: 'warm-keep'; readonly doc: DocumentKey; readonly document: WarmDocument }
  /** What was kept may be kept no more. */
  | { readonly kind: 'warm-drop'; readonly doc: DocumentKey }

/** The warm store port, what happened. */
export type WarmInput =
  | {
      readonly kind: 'warm-read'
      readonly doc: DocumentKey
      /** Undefined when nothing good was kept. */
      readonly document: WarmDocument | undefined
    }
  | {
      readonly kind: 'warm-kept'
      readonly doc: DocumentKey
      /** False when there was no room for it, or no disk: the next time may be better. */
      readonly isKept: boolean
    }

/**
 * What performs the effects; its answers go to `receive`, later and never from inside `perform`.
 *
 * Implementations: files (@fanfold/storage), a simulated disk (@fanfold/simulator). The suite that each
 * passes is in @fanfold/conformance.
 */
export interface WarmStore {
  /** Starts what the effect says. */
  perform(effect: WarmEffect): void
  /** Waits until everything begun is done, and frees all it holds. */
  close(): Promise<void>
}

/** How a driver makes a warm store: it says where the answers go. */
export type WarmStoreFactory = (receive: (input: WarmInput) => void) => WarmStore
