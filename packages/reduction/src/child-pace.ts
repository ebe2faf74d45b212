/*
 * How often children may say what their crowds say, so that all of them together stay within a document's budget:
 * so many aggregates, and so many bytes of manifests, in a second. Who has said nothing for a while does not count,
 * and says its first at once.
 */
import type { CrowdBudget } from '@fanfold/definition'
import { between, type Instant, milliseconds, SmallMap } from '@fanfold/kernel'
import { crowdLimits } from './crowd-limits.ts'

/** What may come to an authority of one document, as far as waiting keeps it. */
export type CrowdPaceBudget = Pick<CrowdBudget, 'aggregatesPerSecond' | 'manifestBytesPerSecond'>

/** Where a definition does not say otherwise. */
export const crowdBudgetDefault: CrowdPaceBudget = {
  aggregatesPerSecond: 10,
  manifestBytesPerSecond: 65_536,
}

type Heard = { readonly at: Instant; readonly manifestBytes: number }

/** A child that has said nothing for so long does not count. */
const quietAfter = milliseconds(crowdLimits.waitMsMax)

/** The children of one document that say something. */
export class ChildPace<Child> {
  readonly #heard = new SmallMap<Child, Heard>()

  /** A child has said something; its manifest has so many bytes. */
  note(child: Child, manifestBytes: number, now: Instant): void {
    this.#heard.set(child, { at: now, manifestBytes })
  }

  leave(child: Child): void {
    this.#heard.delete(child)
  }

  /** How long each child is to wait between two, ms. */
  waitMs({ aggregatesPerSecond, manifestBytesPerSecond }: CrowdPaceBudget, now: Instant): number {
    let count = 0
    let bytes = 0
    for (const [child, { at, manifestBytes }] of this.#heard) {
      if (between(at, now) > quietAfter) {
        this.#heard.delete(child)
        continue
      }
      count++
      bytes += manifestBytes
    }
    const seconds = Math.max(count / aggregatesPerSecond, bytes / manifestBytesPerSecond)
    return Math.min(Math.ceil(seconds * 1_000), crowdLimits.waitMsMax)
  }
}
