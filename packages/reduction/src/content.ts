/*
 * What an aggregate says: sums by reducer. A sum says of what shape it is, so that who knows no definition can
 * merge it; two that cannot be merged, or do not fit in one, stay two.
 */
import { type Merging, mergingOf } from '@fanfold/definition'
import { ByteReader, ByteWriter, badFrame, ProtocolError } from '@fanfold/protocol'
import { crowdLimits } from './crowd-limits.ts'

/** The most bytes of UTF-8 in the name of a reducer, and in a shape. */
const nameBytesMax = 80

/** One sum. */
export type Part = {
  readonly reducer: string
  readonly shape: string
  readonly bytes: Uint8Array
}

/** Shapes that were asked for; each definition has a few, and a node serves some definitions. */
const mergings = new Map<string, Merging | undefined>()
const mergingsMax = 1_000

/** The sums as bytes. */
export function encodeContent(parts: readonly Part[]): Uint8Array {
  const writer = new ByteWriter(64)
  writer.varint(parts.length)
  for (const { reducer, shape, bytes } of parts) {
    writer.text(reducer).text(shape).varint(bytes.length).raw(bytes)
  }
  return writer.finish()
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` when they are no sums; what is in them is not looked at */
export function decodeContent(content: Uint8Array): Part[] {
  if (content.length > crowdLimits.contentBytesMax) {
    badFrame(`sums of at most ${crowdLimits.contentBytesMax} bytes, got ${content.length}`)
  }
  const reader = new ByteReader(content)
  const count = reader.varint()
  if (count > crowdLimits.sumsMax) badFrame(`at most ${crowdLimits.sumsMax} sums, got ${count}`)
  const parts: Part[] = []
  for (let at = 0; at < count; at++) {
    const reducer = reader.text(nameBytesMax)
    const shape = reader.text(nameBytesMax)
    parts.push({ reducer, shape, bytes: reader.raw(reader.varint()) })
  }
  if (reader.remaining > 0) badFrame('sums end where their bytes do')
  return parts
}

/** All in one; undefined when that is too large. */
export function mergeContents(contents: readonly Uint8Array[]): Uint8Array | undefined {
  const merged: Part[] = []
  for (const content of contents) {
    for (const part of decodeContent(content)) add(merged, part)
  }
  const isMany = merged.length > crowdLimits.sumsMax
  const bytes = isMany ? undefined : encodeContent(merged)
  return bytes === undefined || bytes.length > crowdLimits.contentBytesMax ? undefined : bytes
}

/** Merges the part with the first that it can be merged with. */
function add(parts: Part[], part: Part): void {
  for (const [at, other] of parts.entries()) {
    if (other.reducer !== part.reducer || other.shape !== part.shape) continue
    const bytes = mergeSums(part.shape, other.bytes, part.bytes)
    if (bytes === undefined) continue
    parts[at] = { ...part, bytes }
    return
  }
  parts.push(part)
}

function mergeSums(shape: string, one: Uint8Array, other: Uint8Array): Uint8Array | undefined {
  const merging = knownMerging(shape)
  if (merging === undefined) return undefined
  try {
    const sum = merging.merge(merging.decode(one), merging.decode(other))
    return sum === undefined ? undefined : merging.encode(sum)
  } catch (error) {
    // A sum that is none stays by itself, and spoils no other; the authority refuses it.
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function knownMerging(shape: string): Merging | undefined {
  if (!mergings.has(shape)) {
    if (mergings.size >= mergingsMax) mergings.clear()
    mergings.set(shape, mergingOf(shape))
  }
  return mergings.get(shape)
}
