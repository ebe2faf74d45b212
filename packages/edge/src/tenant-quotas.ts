/*
 * What tenants may take at this edge, and what they have of it: viewers, and bytes to them.
 *
 * Of tenants that nothing bounds nothing is kept. Who has more than a bound that was lowered keeps it.
 */
import { Deadlines, type Instant } from '@fanfold/kernel'
import { type DocumentKey, documentName } from '@fanfold/protocol'
import { ByteAllowance } from './byte-allowance.ts'
import type { Turn } from './turn.ts'

/** What a tenant may have at one edge; undefined where nothing bounds it. Answers are to be at hand. */
export type ViewerQuotaOf = (tenant: string) =>
  | {
      readonly viewersMax: number | undefined
      readonly bytesPerSecondMax: number | undefined
    }
  | undefined

/** What a tenant has at an edge. */
export type EdgeTenantUse = {
  readonly viewers: number
  readonly sentBytes: number
  /** Whether what its viewers are shown is put off, as they were sent as much as they may. */
  readonly isHeld: boolean
}

/** Documents that wait for their tenant's bytes and are shown in one turn. */
const servedPerTurnMax = 256

/** The tenants that something bounds. */
export class TenantQuotas {
  readonly #quotaOf: ViewerQuotaOf
  readonly #turn: Turn
  /** Viewers of each, one that observes several of its documents once. */
  readonly #viewers = new Map<string, number>()
  readonly #allowances = new Map<string, { allowance: ByteAllowance; documents: number }>()
  /** When tenants with documents that wait may go on. */
  readonly #due = new Deadlines<string>()

  constructor(quotaOf: ViewerQuotaOf, turn: Turn) {
    this.#quotaOf = quotaOf
    this.#turn = turn
  }

  /** What a tenant has. */
  useOf(tenant: string): EdgeTenantUse {
    const allowance = this.#allowances.get(tenant)?.allowance
    return {
      viewers: this.#viewers.get(tenant) ?? 0,
      sentBytes: allowance?.sentBytes ?? 0,
      isHeld: allowance?.isOver === true,
    }
  }

  /** Tenants that something bounds and that have something. */
  get bounded(): readonly string[] {
    return [...new Set([...this.#viewers.keys(), ...this.#allowances.keys()])]
  }

  /** Why a viewer with these documents is not let in; undefined when it may be. */
  problemOf(doc: DocumentKey, docs: Iterable<DocumentKey>): string | undefined {
    const { tenant } = documentName(doc)
    const viewersMax = this.#quotaOf(tenant)?.viewersMax
    if (viewersMax === undefined || hasOf(tenant, docs)) return undefined
    if ((this.#viewers.get(tenant) ?? 0) < viewersMax) return undefined
    const message = `tenant ${tenant} has as many viewers here as its quota allows: ${viewersMax}`
    this.#turn.fact({ event: 'quota-refused', tenant, message })
    return message
  }

  /** A viewer with these documents has one more from now on. */
  observes(doc: DocumentKey, docs: Iterable<DocumentKey>): void {
    const { tenant } = documentName(doc)
    if (this.#quotaOf(tenant) === undefined || hasOf(tenant, docs)) return
    this.#viewers.set(tenant, (this.#viewers.get(tenant) ?? 0) + 1)
  }

  /** A viewer has these documents left. */
  leaves(doc: DocumentKey, docs: Iterable<DocumentKey>): void {
    if (this.#viewers.size === 0) return
    const { tenant } = documentName(doc)
    const count = this.#viewers.get(tenant)
    if (count === undefined || hasOf(tenant, docs)) return
    if (count > 1) this.#viewers.set(tenant, count - 1)
    else this.#viewers.delete(tenant)
  }

  /** Something else may be said of tenants: viewers are counted anew. */
  recount(viewers: Iterable<{ readonly docs: Iterable<DocumentKey> }>): void {
    this.#viewers.clear()
    for (const { docs } of viewers) {
      const tenants = new Set([...docs].map(doc => documentName(doc).tenant))
      for (const tenant of tenants) {
        if (this.#quotaOf(tenant) === undefined) continue
        this.#viewers.set(tenant, (this.#viewers.get(tenant) ?? 0) + 1)
      }
    }
  }

  /** A document is followed; what its tenant's viewers may be sent, undefined where nothing bounds it. */
  follow(doc: DocumentKey): ByteAllowance | undefined {
    const { tenant } = documentName(doc)
    const bytesPerSecondMax = this.#quotaOf(tenant)?.bytesPerSecondMax
    if (bytesPerSecondMax === undefined) return undefined
    const kept = this.#allowances.get(tenant) ?? {
      allowance: new ByteAllowance({
        tenant,
        bytesPerSecondMax,
        now: () => this.#turn.now,
        onOver: ({ bytesPerSecondMax: max }) =>
          this.#turn.fact({ event: 'quota-spent', tenant, bytesPerSecondMax: max }),
      }),
      documents: 0,
    }
    kept.documents++
    this.#allowances.set(tenant, kept)
    if (kept.allowance.bytesPerSecondMax !== bytesPerSecondMax) {
      kept.allowance.resize(bytesPerSecondMax)
      this.#look(kept.allowance)
    }
    return kept.allowance
  }

  /** Whether the viewers of a document that has this may be sent as much as before. */
  isAsBefore(doc: DocumentKey, allowance: ByteAllowance | undefined): boolean {
    const { bytesPerSecondMax } = this.#quotaOf(documentName(doc).tenant) ?? {}
    return allowance?.bytesPerSecondMax === bytesPerSecondMax
  }

  /** A document that had this is followed no more, or gets another. */
  unfollow(doc: DocumentKey, { tenant }: ByteAllowance): void {
    const kept = this.#allowances.get(tenant)
    if (kept === undefined) return
    kept.allowance.forget(doc)
    if (--kept.documents > 0) return
    this.#allowances.delete(tenant)
    this.#due.set(tenant, undefined)
  }

  /** The document has something to show as soon as its tenant may go on. */
  wait(doc: DocumentKey, allowance: ByteAllowance): void {
    allowance.wait(doc)
    this.#look(allowance)
  }

  /** When a document that waits may go on. */
  wakeAt(): Instant | undefined {
    return this.#due.wakeAt()
  }

  /** Lets documents go on whose tenants may. */
  serve(now: Instant, show: (doc: DocumentKey) => void): void {
    for (const tenant of [...this.#due.due(now)]) {
      const allowance = this.#allowances.get(tenant)?.allowance
      if (allowance === undefined) continue
      for (let left = servedPerTurnMax; left > 0; left--) {
        const doc = allowance.next()
        if (doc === undefined) break
        show(doc)
      }
      this.#look(allowance)
    }
  }

  #look(allowance: ByteAllowance): void {
    this.#due.set(allowance.tenant, allowance.hasWaiting ? allowance.freeAt : undefined)
  }
}

/** Whether there is a document of the tenant among these. */
function hasOf(tenant: string, docs: Iterable<DocumentKey>): boolean {
  for (const doc of docs) if (doc.startsWith(`${tenant}/`)) return true
  return false
}
