import { SmallMap } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'
import type { JoinRequest } from '@fanfold/replication'
import type { AuthorityContext } from './authority-context.ts'
import type { AuthorityEffect } from './authority-effect.ts'
import { BatchInHand } from './batch-in-hand.ts'
import type { CommittedDocument } from './committed-document.ts'
import type { CrowdJudged, CrowdSaid } from './crowd-port.ts'
import { DefinitionStanding, type TakenDefinition } from './definition-standing.ts'
import { type RefusalReason, refuseJoin, reject, retryAfterMs } from './document-answers.ts'
import { DocumentChildren } from './document-children.ts'
import type { DocumentSnapshots } from './document-snapshots.ts'
import { WaitingWrites } from './waiting-writes.ts'
import { isForNow, noSuch } from './write-problem.ts'

/**
 * What a document has at hand while something happens to it. One at rest has none of it: most are,
 * most of the time, and a million of them have to fit into memory.
 */
export class DocumentWork {
  readonly #doc: DocumentKey
  readonly #context: AuthorityContext
  readonly #committed: CommittedDocument
  readonly children: DocumentChildren
  readonly standing: DefinitionStanding
  readonly writes: WaitingWrites
  readonly inHand: BatchInHand
  /** What the crowd says, until a batch takes it. */
  crowd: CrowdSaid | undefined
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
    readonly taken: TakenDefinition | undefined
  }) {
    const { doc, context } = options
    this.#doc = doc
    this.#context = context
    this.#committed = options.committed
    this.inHand = new BatchInHand((judged, isJudged) => this.#tellCrowd(judged, isJudged))
    this.children = new DocumentChildren(options)
    this.standing = new DefinitionStanding(options)
    this.writes = new WaitingWrites(context.limits, context.waiting)
  }

  /** True when there is something to put into the log. */
  get hasWaiting(): boolean {
    return this.writes.count > 0 || this.crowd !== undefined
  }

  /** A child wants the stream of a document whose log is open; it may have to wait for the definition. */
  join(request: JoinRequest, effects: AuthorityEffect[]): 'refused' | 'waits' | 'answered' {
    if (this.#committed.isVacant) {
      refuseJoin(this.#doc, request, noSuch(this.#doc), effects)
      return 'refused'
    }
    if (this.standing.due === undefined) {
      this.children.join(request, effects)
      return 'answered'
    }
    const { stall } = this.inHand
    if (stall !== undefined) {
      refuseJoin(this.#doc, request, { ...stall, retryAfterMs }, effects)
      return 'refused'
    }
    this.joins.set(request.link, request)
    return 'waits'
  }

  /** Whoever waits for the log waits no more. */
  refuseWaiting(problem: RefusalReason, effects: AuthorityEffect[]): void {
    const { writes } = this
    for (let next = writes.shift(); next !== undefined; next = writes.shift()) {
      reject(next, problem.code, problem.message, effects)
    }
    if (this.crowd !== undefined) {
      this.crowd = undefined
      this.#context.crowd.postponed(this.#doc)
    }
    this.refuseJoins(problem, effects)
  }

  /** The joins that wait are told why they get nothing, and when to ask again if that is of any use. */
  refuseJoins(problem: RefusalReason, effects: AuthorityEffect[]): void {
    const reason = { retryAfterMs: isForNow(problem) ? retryAfterMs : 0, ...problem }
    for (const request of this.takeJoins()) refuseJoin(this.#doc, request, reason, effects)
  }

  /** The joins that wait, which then wait no more. */
  takeJoins(): JoinRequest[] {
    const taken = [...this.joins]
    for (const [link] of taken) this.joins.delete(link)
    return taken.map(([, request]) => request)
  }

  /** The crowd's sessions are where the log now has them. */
  #tellCrowd(judged: CrowdJudged, isJudged: boolean): void {
    const { crowd } = this.#context
    if (!isJudged) {
      crowd.postponed(this.#doc)
      return
    }
    const { said, entry } = judged
    const covered = said.aggregate?.ranges.map(({ session }) => session) ?? []
    const standings = this.#committed.ledger.standingsOf(covered)
    crowd.answered(this.#doc, { sessions: entry?.opened ?? [], standings }, judged)
  }

  /** Frees what can be had again; true when that is all of it. */
  rest(): boolean {
    this.children.rest()
    this.writes.clear()
    return !this.children.areAny && !this.standing.isRefused && this.joins.size === 0
  }
}
