import type { DocumentKey } from '@fanfold/protocol'
import type { BoardReducer } from '../board.ts'

/**
 * What became of something that a viewer said, as the edge knows that heard it: `said`, the edge has not heard it, or died before it
 * could say so; `heard`, it is in a window; `died`, and the edge is gone since; `lost`, the document went, and the window with it.
 */
export type Fate = 'said' | 'heard' | 'rejected' | 'counted' | 'unknown' | 'lost' | 'died'

/** What a viewer is told of it. */
export type SayingFrame = 'counted' | 'unknown' | 'rejected'

/** One thing that a viewer says. */
export type Said = {
  readonly viewer: string
  readonly doc: DocumentKey
  readonly reducer: BoardReducer
  /** No other one in the world has it; the id, where it has one. */
  readonly name: string
  /** What is summed up: the name, or a kind. */
  readonly operand: string
  readonly hasId: boolean
}

/** The same, and what became of it. */
export type Saying = Said & {
  fate: Fate
  /** What the viewer was told. */
  told: SayingFrame | undefined
}
