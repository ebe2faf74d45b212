import { SmallMap } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'
import type { JoinRequest } from '@fanfold/replication'
import type { AuthorityContext } from './authority-context.ts'
import type { CommittedDocument } from './committed-document.ts'
import { DefinitionStanding } from './definition-standing.ts'
import { DocumentChildren } from './document-children.ts'
import type { DocumentSnapshots } from './document-snapshots.ts'
import type { LoadedDefinition } from './loaded-definition.ts'
import { WaitingWrites } from './waiting-writes.ts'

/**
 * What a document has at hand while something happens to it. One at rest has none of it: most are,
 * most of the time, and a million of them have to fit into memory.
 */
export class DocumentWork {
  readonly children: DocumentChildren
  readonly standing: DefinitionStanding
  readonly writes: WaitingWrites
  /** Joins that wait for the log; of one link only the last counts. */
  readonly joins: SmallMap<LinkId, JoinRequest> = new SmallMap()

  /** @param options.taken the definition that was in force when the document went to rest */
  constructor(options: {
    readonly doc: DocumentKey
    readonly channel: number
    readonly context: AuthorityContext
    readonly committed: CommittedDocument
    readonly snapshots: DocumentSnapshots
    readonly isStateDurable: () => boolean
    readonly taken: LoadedDefinition | undefined
  }) {
    const { context } = options
    this.children = new DocumentChildren(options)
    this.standing = new DefinitionStanding(options)
    this.writes = new WaitingWrites(context.limits, context.waiting)
  }

  /** The joins that wait, which then wait no more. */
  takeJoins(): JoinRequest[] {
    const taken = [...this.joins]
    for (const [link] of taken) this.joins.delete(link)
    return taken.map(([, request]) => request)
  }

  /** Frees what can be had again; true when that is all of it. */
  rest(): boolean {
    this.children.rest()
    this.writes.clear()
    return !this.children.areAny && !this.standing.isRefused && this.joins.size === 0
  }
}
