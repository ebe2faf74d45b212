import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

/** A place in a document's log: after the record `seq`, whose chain hash is `hash` (32 bytes). */
export type Position = { readonly epoch: number; readonly seq: number; readonly hash: Uint8Array }

/** Chain hash before the first record, and of the position before it. */
export const zeroHash: Uint8Array = new Uint8Array(32)

/** The position of a document without records. */
export const zeroPosition: Position = { epoch: 0, seq: 0, hash: zeroHash }

/** A position in words, for logs and errors: `epoch:seq`. */
export const describePosition = (position: Position): string => `${position.epoch}:${position.seq}`

/**
 * What a viewer's position says once an edge has opened it: to viewers it is sealed. `hashPrefix` is
 * the first 16 bytes of the chain hash, enough to tell another history from this one.
 */
export type ResumePoint = {
  readonly epoch: number
  readonly seq: number
  readonly hashPrefix: Uint8Array
}

/** Appends a position. */
export function writePosition(writer: ByteWriter, position: Position): ByteWriter {
  return writer.uint32(position.epoch).uint53(position.seq).raw(position.hash)
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` */
export function readPosition(reader: ByteReader): Position {
  return { epoch: reader.uint32(), seq: reader.uint53(), hash: reader.raw(32) }
}
