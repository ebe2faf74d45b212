import type { DocumentDefinition } from '@fanfold/definition'
import type { LogInput, ReplicaWorkerInput } from '@fanfold/document'
import type { LinkInput, WriterInput } from '@fanfold/protocol'
import type { TreeAsked } from '@fanfold/replication'
import type { LoadedVariant } from './loaded-definition.ts'

/** What happens to an authority. */
export type AuthorityInput =
  | LinkInput
  | LogInput
  | ReplicaWorkerInput
  | WriterInput
  | TreeAsked
  /**
   * A definition was loaded, or loaded anew: it counts from the next write on. Documents of its type
   * that are in memory tell of it in their logs, if it has labels or edge variants that are new.
   */
  | {
      readonly kind: 'definition-loaded'
      readonly definition: DocumentDefinition
      /** What edges run of it, by rising ceilings from 0; none when no edge may serve its documents. */
      readonly variants?: readonly LoadedVariant[] | undefined
    }
  /** Documents may be others' than before: those in memory that are elsewhere now are let go. */
  | { readonly kind: 'owners-changed' }
