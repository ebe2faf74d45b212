import type { DocumentKey } from '@fanfold/protocol'
import type { AskedParents } from './asked-parents.ts'
import type { AssemblyBudget } from './assembly-budget.ts'

/**
 * The documents that are asked for next, of those that wait until a parent has answered for others, or
 * there is room for their snapshots; so many at most. Each is asked for before the next one is told.
 */
export function* nextToAsk(
  asked: AskedParents,
  budget: AssemblyBudget,
  countMax: number,
): IterableIterator<DocumentKey> {
  let left = countMax
  for (let doc = budget.next; doc !== undefined && left > 0; doc = budget.next) {
    left--
    budget.ask(doc)
    yield doc
  }
  yield* asked.due(left)
}
