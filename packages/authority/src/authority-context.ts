import type { Chain } from '@fanfold/document'
import type { RandomBytes, Sha256 } from '@fanfold/kernel'
import type { AuthorityLimits } from './authority-limits.ts'
import type { LoadedDefinition } from './loaded-definition.ts'
import type { WaitingBytes } from './waiting-writes.ts'

/** What all documents of an authority share. */
export type AuthorityContext = {
  readonly sha256: Sha256
  readonly randomBytes: RandomBytes
  readonly limits: AuthorityLimits
  readonly chain: Chain
  readonly waiting: WaitingBytes
  /** The definition for documents of a type, as loaded last. */
  loadedFor(type: string): LoadedDefinition | undefined
}
