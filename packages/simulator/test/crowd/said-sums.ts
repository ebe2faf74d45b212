import type { DocumentKey, ViewerRequest } from '@fanfold/protocol'
import { encodeAggregate, encodeContent, type Part, type Range } from '@fanfold/reduction'
import { defineBoard } from '../../src/board.ts'

const crowd = { aggregatesPerSecond: 10, presenceEveryMs: undefined }
const { reducers } = defineBoard({
  isOpen: true,
  privacy: [],
  labels: [],
  audience: 'tier',
  banned: [],
  view: 'visible',
  crowd,
})
const voice = { id: '', timeMs: 0, stamp: 0, draw: () => 0 }

export const range = (session: number, after: number, upTo: number): Range => ({
  session,
  after,
  upTo,
})

/** What a viewer asks for that says something. */
export const addOf = (doc: DocumentKey, name: string): ViewerRequest => ({
  type: 'add',
  doc,
  reducer: 'said',
  value: { name },
  id: name,
  stamp: undefined,
})

/** What a node says of these windows: things that are told apart, and things of a kind. */
export function aggregateOf(
  ranges: readonly Range[],
  said: readonly string[],
  kinds: readonly string[] = [],
): Uint8Array {
  const parts = [partOf('said', said), partOf('kinds', kinds)].flatMap(part => part ?? [])
  return encodeAggregate({ ranges, content: encodeContent(parts) })
}

function partOf(reducer: string, operands: readonly string[]): Part | undefined {
  const into = reducers[reducer]?.into
  if (into === undefined || operands.length === 0) return undefined
  let sum = into.empty()
  for (const operand of operands) {
    sum = into.fold(sum as never, operand as never, voice) ?? sum
  }
  return { reducer, shape: into.shape, bytes: into.encode(sum as never) }
}
