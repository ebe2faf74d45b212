import { fromHex, toHex } from '@fanfold/kernel'
import { limits } from './limits.ts'

/** A place in a document's log: after the record `seq`, whose chain hash is `hash` (32 bytes). */
export type Position = { readonly epoch: number; readonly seq: number; readonly hash: Uint8Array }

/** Chain hash before the first record, and of the position before it. */
export const zeroHash: Uint8Array = new Uint8Array(32)

/** The position of a document without records. */
export const zeroPosition: Position = { epoch: 0, seq: 0, hash: zeroHash }

/** A position in words, for logs and errors: `epoch:seq`. */
export const describePosition = (position: Position): string => `${position.epoch}:${position.seq}`

/**
 * The position as viewers carry it: to them it is opaque.
 *
 * It holds the first 16 bytes of the hash, which is enough to tell another history from this one.
 */
export const encodeResumePoint = (position: Position): string =>
  `1.${position.epoch}.${position.seq}.${toHex(position.hash.subarray(0, 16))}`

/** What a viewer's position says, or `undefined` when no node gave it out. */
export function decodeResumePoint(text: string): ResumePoint | undefined {
  if (text.length > limits.positionBytesMax.value) return undefined
  const match = /^1\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,15})\.([0-9a-f]{32})$/.exec(text)
  if (match === null) return undefined
  const [, epochText = '', seqText = '', hashText = ''] = match
  const hashPrefix = fromHex(hashText)
  const epoch = Number(epochText)
  const seq = Number(seqText)
  if (hashPrefix === undefined || epoch > 0xffff_ffff || !Number.isSafeInteger(seq))
    return undefined
  return { epoch, seq, hashPrefix }
}

/** A viewer's position, decoded; `hashPrefix` is the first 16 bytes of the chain hash. */
export type ResumePoint = {
  readonly epoch: number
  readonly seq: number
  readonly hashPrefix: Uint8Array
}
