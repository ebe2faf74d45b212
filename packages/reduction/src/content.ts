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

/**
 * The sums as bytes, in as few contents as they fit in, in their order.
 *
 * @throws RangeError when one by itself is too large, which is the fault of the reduction that made it
 */
export function encodeContents(parts: readonly Part[]): Uint8Array[] {
  const contents: Part[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const part of parts) {
    // With the count of the sums in it, which is written once.
    const size = encodeContent([part]).length
    if (size > crowdLimits.contentBytesMax) {
      const { reducer, shape } = part
      throw new RangeError(`a sum of ${reducer} has ${part.bytes.length} bytes, by ${shape}`)
    }
    const last = contents.at(-1)
    if (
      last === undefined ||
      bytes + size > crowdLimits.contentBytesMax ||
      last.length >= crowdLimits.sumsMax
    ) {
      contents.push([part])
      bytes = size + 1
    } else {
      last.push(part)
      bytes += size
    }
  }
  return contents.map(encodeContent)
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

/** All in one; undefined when that is too large. Each sum is read once, and written once, of however many it is. */
export function mergeContents(contents: readonly Uint8Array[]): Uint8Array | undefined {
  const sums: OpenPart[] = []
  for (const content of contents) {
    for (const part of decodeContent(content)) add(sums, part)
  }
  if (sums.length > crowdLimits.sumsMax) return undefined
  const bytes = encodeContent(sums.map(written))
  return bytes.length > crowdLimits.contentBytesMax ? undefined : bytes
}

/** A part, and what it comes to with the ones that were merged into it. */
type OpenPart = Part & { merged: { readonly by: Merging; sum: unknown } | undefined }

const written = ({ reducer, shape, bytes, merged }: OpenPart): Part =>
  merged === undefined
    ? { reducer, shape, bytes }
    : { reducer, shape, bytes: merged.by.encode(merged.sum as never) }

/** Merges the part with the first that it can be merged with. */
function add(sums: OpenPart[], part: Part): void {
  const one = sums.find(
    sum => sum.reducer === part.reducer && sum.shape === part.shape && isMerged(sum, part.bytes),
  )
  if (one === undefined) sums.push({ ...part, merged: undefined })
}

function isMerged(part: OpenPart, bytes: Uint8Array): boolean {
  const by = knownMerging(part.shape)
  if (by === undefined) return false
  try {
    const other = by.decode(bytes)
    const sum = part.merged === undefined ? by.decode(part.bytes) : part.merged.sum
    const both = by.merge(sum as never, other as never)
    if (both === undefined) return false
    part.merged = { by, sum: both }
    return true
  } catch (error) {
    // A sum that is none stays by itself, and spoils no other; the authority refuses it.
    if (error instanceof ProtocolError) return false
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
