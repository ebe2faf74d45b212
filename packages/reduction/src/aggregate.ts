import { ByteReader, ByteWriter, badFrame } from '@fanfold/protocol'
import { decodeContent } from './content.ts'
import { type Range, readRanges, writeRanges } from './ranges.ts'

/**
 * What a crowd said, summed up, and which windows that is: the value is the sum of what these windows hold,
 * neither more nor less, whoever merged it.
 */
export type Aggregate = {
  readonly ranges: readonly Range[]
  readonly content: Uint8Array
}

/** The aggregate as bytes. */
export function encodeAggregate({ ranges, content }: Aggregate): Uint8Array {
  const writer = new ByteWriter(content.length + 16)
  writeRanges(writer, ranges)
  return writer.raw(content).finish()
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` when it is none; what its sums are is not looked at */
export function decodeAggregate(bytes: Uint8Array): Aggregate {
  const reader = new ByteReader(bytes)
  const aggregate = { ranges: readRanges(reader), content: reader.rest() }
  if (aggregate.ranges.length === 0) badFrame('an aggregate of at least one window')
  decodeContent(aggregate.content)
  return aggregate
}

/** Bytes of an aggregate that say which windows it covers. */
export function manifestBytesOf({ ranges }: Aggregate): number {
  const writer = new ByteWriter(16)
  writeRanges(writer, ranges)
  return writer.finish().length
}
