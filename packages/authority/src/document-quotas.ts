import { type DocumentKey, documentName } from '@fanfold/protocol'
import { SpareDocuments } from './spare-documents.ts'
import type { WriteProblem } from './write-problem.ts'

/** What a tenant may have at one authority; undefined where nothing bounds it. Answers are to be at hand. */
export type DocumentQuotaOf = (
  tenant: string,
) => { readonly documentsMax: number | undefined } | undefined

/** The documents in memory of each tenant, and how many there may be. Who has more keeps them, and gets no more. */
export class DocumentQuotas {
  readonly #quotaOf: DocumentQuotaOf
  readonly #tenants = new Map<string, SpareDocuments>()

  constructor(quotaOf: DocumentQuotaOf) {
    this.#quotaOf = quotaOf
  }

  /** Documents of a tenant that are in memory. */
  countOf(tenant: string): number {
    return this.#tenants.get(tenant)?.size ?? 0
  }

  /** Tenants with documents in memory that something bounds. */
  get bounded(): string[] {
    return [...this.#tenants.keys()].filter(tenant => this.#quotaOf(tenant) !== undefined)
  }

  /** The document has come into memory. */
  add(doc: DocumentKey): void {
    const { tenant } = documentName(doc)
    const docs = this.#tenants.get(tenant) ?? new SpareDocuments()
    docs.add(doc)
    this.#tenants.set(tenant, docs)
  }

  /** The document has left memory. */
  delete(doc: DocumentKey): void {
    const { tenant } = documentName(doc)
    const docs = this.#tenants.get(tenant)
    docs?.delete(doc)
    if (docs?.size === 0) this.#tenants.delete(tenant)
  }

  /** Where the document's tenant has as many as it may: the limit, and those it has; undefined where it has not. */
  fullFor(
    doc: DocumentKey,
  ): { readonly documentsMax: number; readonly docs: SpareDocuments | undefined } | undefined {
    const { tenant } = documentName(doc)
    const documentsMax = this.#quotaOf(tenant)?.documentsMax
    if (documentsMax === undefined) return undefined
    const docs = this.#tenants.get(tenant)
    return (docs?.size ?? 0) < documentsMax ? undefined : { documentsMax, docs }
  }
}

/** Why a tenant does not get one more document. */
export const quotaProblem = (doc: DocumentKey, documentsMax: number): WriteProblem => ({
  code: 'FANFOLD_QUOTA_EXCEEDED',
  message: `tenant ${documentName(doc).tenant} has as many documents in use here as its quota allows: ${documentsMax}`,
})
