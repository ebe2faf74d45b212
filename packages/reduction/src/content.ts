/*
 * What an aggregate says: sums by reducer. A sum says of what shape it is, so that who knows no definition can
 * merge it; two that cannot be merged, or do not fit in one, stay two.
 */
import { type Merging, mergingOf } from '@fanfold/definition'
import { ByteReader, ByteWriter, badFrame, ProtocolError } from '@fanfold/protocol'
import { crowdLimits } from './crowd-limits.ts'

/** The most bytes of UTF-8 in the name of a reducer, and in a shape. */
const nameBytesMax = 80

/** With so many sums of its kind one is tried before it stays by itself. */
const triesMax = 8

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
  const parts: OpenPart[] = []
  const kinds = new Map<string, OpenPart[]>()
  for (const content of contents) {
    for (const part of decodeContent(content)) add(parts, kinds, part)
  }
  if (parts.length > crowdLimits.sumsMax) return undefined
  const bytes = encodeContent(parts.map(written))
  return bytes.length > crowdLimits.contentBytesMax ? undefined : bytes
}

/** A part, and its sum once that was read; undefined when it is none. */
type OpenPart = Part & {
  readonly by: Merging | undefined
  read: { readonly sum: unknown } | undefined
  isRead: boolean
  /** True when the sum is no more what the bytes say. */
  isMerged: boolean
}

const written = ({ reducer, shape, bytes, by, read, isMerged }: OpenPart): Part =>
  isMerged && by !== undefined && read !== undefined
    ? { reducer, shape, bytes: by.encode(read.sum as never) }
    : { reducer, shape, bytes }

/** Merges the part with one of its kind: of the latest, the first that it fits in. */
function add(parts: OpenPart[], kinds: Map<string, OpenPart[]>, part: Part): void {
  const kind = `${part.reducer} ${part.shape}`
  const same = kinds.get(kind) ?? []
  kinds.set(kind, same)
  const open = {
    ...part,
    by: knownMerging(part.shape),
    read: undefined,
    isRead: false,
    isMerged: false,
  }
  // Many that do not fit in each other must not make others wait while each is tried with each.
  if (open.by !== undefined && same.slice(-triesMax).some(one => isMergedInto(one, open))) return
  same.push(open)
  parts.push(open)
}

function isMergedInto(part: OpenPart, other: OpenPart): boolean {
  const [one, more] = [readSum(part), readSum(other)]
  if (one === undefined || more === undefined) return false
  const both = part.by?.merge(one.sum as never, more.sum as never)
  if (both === undefined) return false
  part.read = { sum: both }
  part.isMerged = true
  return true
}

/** The sum of a part. One that is none stays by itself, and spoils no other; the authority refuses it. */
function readSum(part: OpenPart): OpenPart['read'] {
  if (part.isRead) return part.read
  part.isRead = true
  try {
    if (part.by !== undefined) part.read = { sum: part.by.decode(part.bytes) }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
  return part.read
}

function knownMerging(shape: string): Merging | undefined {
  if (!mergings.has(shape)) {
    if (mergings.size >= mergingsMax) mergings.clear()
    mergings.set(shape, mergingOf(shape))
  }
  return mergings.get(shape)
}
