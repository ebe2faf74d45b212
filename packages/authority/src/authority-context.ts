import type { Chain, LogReadId, WorkerReplicaId } from '@fanfold/document'
import type { Instant, RandomBytes, Sha256 } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import type { PiecePacker } from '@fanfold/replication'
import type { AuthorityLimits } from './authority-limits.ts'
import type { LoadedDefinition } from './loaded-definition.ts'
import type { WaitingBytes } from './waiting-writes.ts'

/** What all documents of an authority share. */
export type AuthorityContext = {
  readonly sha256: Sha256
  readonly randomBytes: RandomBytes
  readonly limits: AuthorityLimits
  readonly chain: Chain
  readonly packer: PiecePacker
  readonly waiting: WaitingBytes
  /** The instant of the input or the tick in hand. */
  now(): Instant
  /** The definition for documents of a type, as loaded last. */
  loadedFor(type: string): LoadedDefinition | undefined
  /** Names a replica at the worker; its answers come to the document. */
  nameReplica(doc: DocumentKey): WorkerReplicaId
  /** The replica is gone. */
  forgetReplica(replica: WorkerReplicaId): void
  /** Names a reading of a log. */
  nextRead(): LogReadId
}
