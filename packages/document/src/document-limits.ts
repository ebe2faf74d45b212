import type { Limit } from '@fanfold/protocol'

/**
 * Bounds of a document, in one table. They keep every value inside a snapshot piece and every change
 * inside a record, so that nothing that was accepted turns out later not to be sendable.
 *
 * Bytes are those of `jsonBytes`: JSON text in UTF-8, with a comma after each member and element.
 */
export const documentLimits = {
  depthMax: {
    value: 64,
    unit: 'segments',
    meaning: 'segments of the pointer to any value, so that recursion over a document is bounded',
  },
  textBytesMax: {
    value: 49_152,
    unit: 'bytes',
    meaning:
      'one text as JSON, quotes included, so that it fits in a snapshot piece with its pointer',
  },
  memberNameBytesMax: {
    value: 256,
    unit: 'bytes',
    meaning: "a member's name as JSON, without the quotes",
  },
  pointerBytesMax: {
    value: 2_048,
    unit: 'bytes',
    meaning: 'the pointer to any value as JSON, without the quotes',
  },
  patchBytesMax: {
    value: 1_015_808,
    unit: 'bytes',
    meaning: 'the patch of one message, or the state a document begins with: a record holds it',
  },
  writtenBytesMax: {
    value: 16_777_216,
    unit: 'bytes',
    meaning: 'what one message may assign in all, including what it overwrites again',
  },
  stateBytesMax: { value: 67_108_864, unit: 'bytes', meaning: 'the state of one document' },
} as const

/** The bounds in force: the table's, or tighter ones. */
export type DocumentLimits = { readonly [Name in keyof typeof documentLimits]: Limit }
