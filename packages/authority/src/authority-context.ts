import type { Chain, LogReadId } from '@fanfold/document'
import type { Instant, RandomBytes, Sha256 } from '@fanfold/kernel'
import type { TreePlace } from '@fanfold/protocol'
import type { PiecePacker, Staleness, WorkerNames } from '@fanfold/replication'
import type { AuthorityLimits } from './authority-limits.ts'
import type { CrowdPort } from './crowd-port.ts'
import type { KeptEpochs } from './kept-epochs.ts'
import type { LoadedDefinition } from './loaded-definition.ts'
import type { Owners } from './owners.ts'
import type { WaitingBytes } from './waiting-writes.ts'

/** What all documents of an authority share. */
export type AuthorityContext = {
  readonly sha256: Sha256
  readonly randomBytes: RandomBytes
  readonly limits: AuthorityLimits
  readonly chain: Chain
  readonly packer: PiecePacker
  /** Names replicas at the worker, whose answers come to their documents. */
  readonly workerNames: WorkerNames
  readonly waiting: WaitingBytes
  /** Epochs of documents that are not in memory: what their logs have lost, and what this node has claimed. */
  readonly epochs: { readonly lost: KeptEpochs; readonly own: KeptEpochs | undefined }
  readonly owners: Owners
  /** Who is told what became of what crowds say. */
  readonly crowd: CrowdPort
  /** The wall's time, ms since 1970. */
  wallClockMs(): number
  /** The instant of the input or the tick in hand. */
  now(): Instant
  /** Whether what nodes below have of any document may be old. */
  staleness(): Staleness
  /** Where children are told that this node stands in the trees of documents; undefined where they are not. */
  readonly place: TreePlace | undefined
  /** The definition for documents of a type, as loaded last. */
  loadedFor(type: string): LoadedDefinition | undefined
  /** True when a state may be hashed now; then it is. */
  mayHash(): boolean
  /** Names a reading of a log. */
  nextRead(): LogReadId
}
