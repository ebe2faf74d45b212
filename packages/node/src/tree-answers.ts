import type { DocumentKey, TreeEntry } from '@fanfold/protocol'
import type { TreeAsked, TreeTold } from '@fanfold/replication'

/** What somebody who looks at a process is told by one of its machines, which answers each look in time. */
export class TreeAnswers {
  readonly #submit: (input: TreeAsked) => void
  readonly #waiting = new Map<number, (entries: readonly TreeEntry[]) => void>()
  #lastLook = 0
  #isClosed = false

  /** @param submit asks the machine */
  constructor(submit: (input: TreeAsked) => void) {
    this.#submit = submit
  }

  /** Who has the document from whom; nothing when that cannot be told now. */
  ask(doc: DocumentKey): Promise<readonly TreeEntry[]> {
    if (this.#isClosed) return Promise.resolve([])
    const look = ++this.#lastLook
    return new Promise(resolve => {
      this.#waiting.set(look, resolve)
      this.#submit({ kind: 'tree-asked', look, doc })
    })
  }

  /** The machine has answered. */
  told({ look, entries }: TreeTold): void {
    this.#waiting.get(look)?.(entries)
    this.#waiting.delete(look)
  }

  /** The machine answers no more. */
  close(): void {
    this.#isClosed = true
    for (const resolve of this.#waiting.values()) resolve([])
    this.#waiting.clear()
  }
}
