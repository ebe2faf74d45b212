/*
 * The log store port: where an authority's records become durable.
 *
 * The procedure: `log-open` brings a document back (newest good snapshot, then the records after it,
 * then `log-opened`); `log-append` makes a batch durable and answers once. One append per document
 * is in flight at a time; what queues meanwhile is the next batch, so one sync covers all of it.
 *
 * The log is the fence: an append names the position it follows and its epoch. A store refuses one
 * that does not follow its last record or whose epoch is older than one it has seen. The first append
 * of a higher epoch claims that epoch, and at most one node can.
 *
 * `log-follow` brings a document back that another node writes, and goes on telling what that one appends, so that
 * `log-open` has little left to read when this node takes over. To follow claims nothing and holds up nobody.
 *
 * What a store does not do: retry (a refusal is told, and the authority decides), order documents
 * among each other, or look into payloads. When it can never know whether a record is durable (a failed
 * sync), it does not answer: it ends the process. A store on another machine that cannot be reached for
 * now says once that the append waits, and answers when it knows.
 */
import type { DocumentKey, LogRecord, Position } from '@fanfold/protocol'
import type { Snapshot } from './snapshot.ts'

/** Why a log refuses; the codes are those of the wire. */
export type LogRefusal =
  /** Another node has claimed a later epoch, or the log has moved on: this node must stop writing. */
  | 'FANFOLD_FENCED'
  /** No room; nothing was written, and the same append may work later. */
  | 'FANFOLD_LOG_FULL'
  /** A damaged record with good ones behind it, or another document's log in this one's place. */
  | 'FANFOLD_LOG_DAMAGED'
  /** The disk did not let it be read. What it holds is as good as before; to read it again may work. */
  | 'FANFOLD_LOG_UNREADABLE'
  /** The machine that has the log does not answer. */
  | 'FANFOLD_LOG_UNREACHABLE'
  /** The log has less than it was told to have: records that were durable are gone. */
  | 'FANFOLD_LOG_LOST'
  /** What is wanted is older than what the log still holds as records. */
  | 'FANFOLD_LOG_TRIMMED'

/** Names a reading of a log, among those of one store; never used before. */
export type LogReadId = number & { readonly unit: 'log read' }

/** The log store port, what to do. */
export type LogEffect =
  /** Of a log that is followed only what was not told yet is told, and no more after `log-opened`. */
  | { readonly kind: 'log-open'; readonly doc: DocumentKey }
  /**
   * Tells the log, says `log-followed`, and from then on tells what others append, until `log-open`, `log-close` or
   * a refusal. After `log-close` nothing more is told, nor after `log-open-refused`, which is an answer to a
   * `log-open` that was asked meanwhile, too. A store whose documents only one process writes refuses.
   */
  | { readonly kind: 'log-follow'; readonly doc: DocumentKey }
  | {
      readonly kind: 'log-append'
      readonly doc: DocumentKey
      /** Epoch of all records of the batch. */
      readonly epoch: number
      /** The last record before the batch; seq 0 for a new document. */
      readonly after: Position
      /** At least one; the store writes their bytes and does not change them. */
      readonly records: readonly LogRecord[]
    }
  /** Keeps a snapshot beside the log; the two newest are kept. */
  | { readonly kind: 'log-keep-snapshot'; readonly doc: DocumentKey; readonly snapshot: Snapshot }
  /**
   * Reads on in a log whose document is open: the records after `after`, and with the same `read` the
   * ones after those. Answered once by `log-read` or `log-read-refused`; the next one is asked for after
   * that. A reading holds up nothing else, and sees no record that is not durable.
   */
  | {
      readonly kind: 'log-read'
      readonly doc: DocumentKey
      readonly read: LogReadId
      /** Seq of the record before the first one wanted. */
      readonly after: number
      /** Bytes of records at most, but for a first one that is larger. */
      readonly bytesMax: number
    }
  /** Nobody reads on. */
  | { readonly kind: 'log-read-close'; readonly doc: DocumentKey; readonly read: LogReadId }
  /** Nobody needs the document for now: free what it holds. Not while an append is in flight. */
  | { readonly kind: 'log-close'; readonly doc: DocumentKey }

/** The log store port, what happened. */
export type LogInput =
  /** At most once, before any records. */
  | { readonly kind: 'log-snapshot'; readonly doc: DocumentKey; readonly snapshot: Snapshot }
  /** The next records in order, verified by the reader of them, not by the store's word. */
  | {
      readonly kind: 'log-records'
      readonly doc: DocumentKey
      readonly records: readonly LogRecord[]
    }
  /** Everything has been read; `epoch` is the highest the log has seen, 0 for a new document. */
  | { readonly kind: 'log-opened'; readonly doc: DocumentKey; readonly epoch: number }
  /** All was told that the log had when it was followed; what is appended to it comes as `log-records`. */
  | { readonly kind: 'log-followed'; readonly doc: DocumentKey }
  /**
   * Instead of `log-opened`, also after a part was told, and at any time while the log is followed; the same
   * document may be opened again, after `log-close` where it was followed.
   */
  | {
      readonly kind: 'log-open-refused'
      readonly doc: DocumentKey
      readonly code: LogRefusal
      readonly message: string
    }
  /** The batch of the last `log-append` is durable; `seq` is its last record's. */
  | { readonly kind: 'log-appended'; readonly doc: DocumentKey; readonly seq: number }
  /**
   * The batch has waited for so long that others should not wait behind it: whether it is in the log is
   * not known yet. Told at most once for a batch, by stores on other machines; its answer follows.
   */
  | {
      readonly kind: 'log-append-waits'
      readonly doc: DocumentKey
      readonly code: LogRefusal
      readonly message: string
    }
  /** Nothing of the batch is in the log, nor ever will be. */
  | {
      readonly kind: 'log-append-refused'
      readonly doc: DocumentKey
      readonly code: LogRefusal
      readonly message: string
    }
  | {
      readonly kind: 'log-read'
      readonly doc: DocumentKey
      readonly read: LogReadId
      /** In order, without a gap; none when the reading is at the end of the log. */
      readonly records: readonly LogRecord[]
    }
  /**
   * The reading is over: the log is damaged there, or the disk did not let it be read. A new one may
   * begin where it ended.
   */
  | {
      readonly kind: 'log-read-refused'
      readonly doc: DocumentKey
      readonly read: LogReadId
      readonly code: LogRefusal
      readonly message: string
    }
  | { readonly kind: 'log-snapshot-kept'; readonly doc: DocumentKey; readonly seq: number }
  | {
      readonly kind: 'log-snapshot-refused'
      readonly doc: DocumentKey
      readonly code: LogRefusal
      readonly message: string
    }

/**
 * What performs the log effects; its answers go to `receive`, later and never from inside `perform`.
 *
 * Implementations: segment files (@fanfold/storage), streams of a Redis (@fanfold/redis), a simulated
 * disk (@fanfold/simulator). The suite that each passes is in @fanfold/conformance.
 */
export interface LogStore {
  /** Starts what the effect says. */
  perform(effect: LogEffect): void
  /** Waits until everything begun is done, and frees all it holds. */
  close(): Promise<void>
}

/** How a driver makes a log store: it says where the answers go. */
export type LogStoreFactory = (receive: (input: LogInput) => void) => LogStore
