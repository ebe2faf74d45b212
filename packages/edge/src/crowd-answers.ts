import { type AddId, type DocumentKey, encodeViewerFrame, type ViewerId } from '@fanfold/protocol'
import type { SettledWindow } from './document-crowd.ts'
import type { Speakers } from './speakers.ts'
import type { Turn } from './turn.ts'

/** Ids told in one turn, before everybody else has one: some 5 ms. */
const toldPerTurn = 2_000

type Told = {
  readonly doc: DocumentKey
  readonly type: 'counted' | 'unknown'
  readonly viewers: Iterator<readonly [ViewerId, readonly AddId[]]>
}

/** Tells viewers what became of what they said: a window that many wait for is told in several turns. */
export class CrowdAnswers {
  readonly #turn: Turn
  readonly #speakers: Speakers
  readonly #told: Told[] = []

  constructor(turn: Turn, speakers: Speakers) {
    this.#turn = turn
    this.#speakers = speakers
  }

  /** True while somebody is to be told. */
  get isDue(): boolean {
    return this.#told.length > 0
  }

  /** What became of a window is known. */
  add(doc: DocumentKey, { outcome, ids }: SettledWindow): void {
    if (ids.size === 0) return
    const type = outcome === 'counted' ? 'counted' : 'unknown'
    this.#told.push({ doc, type, viewers: ids.entries() })
  }

  /** Tells the next ones. */
  tick(): void {
    let left = toldPerTurn
    while (left > 0) {
      const [first] = this.#told
      if (first === undefined) return
      const next = first.viewers.next()
      if (next.done === true) this.#told.shift()
      else left -= this.#tell(first, ...next.value)
    }
  }

  #tell({ doc, type }: Told, viewer: ViewerId, ids: readonly AddId[]): number {
    if (!this.#speakers.told(viewer, ids.length)) return 1
    for (const id of ids) {
      const frame = encodeViewerFrame({ type, doc, id })
      this.#turn.push({ kind: 'viewer-send', viewer, frame })
    }
    return ids.length
  }
}
