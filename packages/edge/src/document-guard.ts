import { assert } from '@fanfold/kernel'
import type { DocumentKey, ErrorCode } from '@fanfold/protocol'
import { SetAside, setAsideMs } from '@fanfold/replication'
import type { EdgeEffect } from './edge-effect.ts'
import type { SmallFrame } from './small-frame.ts'
import type { Turn } from './turn.ts'

/**
 * Keeps what fails inside of one document to that document. When an assertion fails there, nothing that
 * the step would have sent viewers goes out; where they are as the rim has it, the rim hears of all the
 * same, or the two would not agree any more.
 */
export class DocumentGuard {
  readonly #turn: Turn
  readonly #aside = new SetAside()

  constructor(turn: Turn) {
    this.#turn = turn
  }

  /** Runs what concerns this document alone; `letGo` lets all of it go, with this last word to viewers. */
  run(doc: DocumentKey, step: () => void, letGo: (frame: SmallFrame) => void): void {
    const { effects, now } = this.#turn
    const before = effects.length
    this.#aside.guard(doc, now, step, error => {
      const wanted = effects.splice(before)
      effects.push(...wanted.flatMap(effect => withoutFrames(effect) ?? []))
      this.#turn.fact({ event: 'document-set-aside', doc, error })
      letGo(refusal(doc, setAsideMs))
    })
  }

  /** What a viewer is told who asks for a document that is put aside; undefined when it is not. */
  refusal(doc: DocumentKey): SmallFrame | undefined {
    const leftMs = this.#aside.leftMs(doc, this.#turn.now)
    return leftMs === undefined ? undefined : refusal(doc, leftMs)
  }
}

const code: ErrorCode = 'FANFOLD_SET_ASIDE'

const refusal = (doc: DocumentKey, retryAfter: number): SmallFrame => {
  assert(retryAfter > 0, `a document is put aside for a while, got ${retryAfter} ms`)
  return { type: 'refused', doc, code, message: `${doc} is put aside for a while`, retryAfter }
}

/** The effect without what a viewer would see of it; undefined when that is all. */
function withoutFrames(effect: EdgeEffect): EdgeEffect | undefined {
  switch (effect.kind) {
    case 'viewer-send':
    case 'viewer-signal':
    case 'viewer-transfer':
    case 'cohort-send':
    case 'cohort-signal':
      return undefined
    case 'cohort-move':
      return { ...effect, frame: undefined }
    default:
      return effect
  }
}
