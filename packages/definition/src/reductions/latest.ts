import { integerOption } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'
import { readSaid, type SaidText, saidText, saidValue, writeSaid } from './said.ts'

/** What was said, when, and what decides where that was at the same time. */
type Moment = { readonly timeMs: number; readonly draw: number; readonly text: SaidText }

/** The last that was said; undefined of none. */
export type Latest = { last: Moment | undefined }

/**
 * What was said last, by the clocks of the edges, of at most `bytesMax` bytes of JSON (16 … 16,384, default
 * 1,024; a larger one refuses the message); undefined of none. Of two at the same millisecond chance decides,
 * the same everywhere. Exact.
 */
export function latest<Value>(
  options: { readonly bytesMax?: number | undefined } = {},
): Reduction<Value, Latest, Value | undefined> {
  const bytesMax = integerOption('bytesMax', options.bytesMax ?? 1_024, 16, 16_384)
  const taken = (sum: Latest, moment: Moment | undefined): Latest => {
    if (moment === undefined) return sum
    if (sum.last === undefined || isLater(moment, sum.last)) sum.last = moment
    return sum
  }
  return {
    shape: `latest/${bytesMax}`,
    accuracy: 'exact',
    bytesMax: 8 + 8 + 2 + bytesMax,
    empty: () => ({ last: undefined }),
    fold: (sum, value, voice) => {
      const text = saidText(value, bytesMax)
      return taken(sum, { timeMs: voice.timeMs, draw: voice.draw(), text })
    },
    merge: (sum, other) => taken(sum, other.last),
    encode: ({ last }) =>
      written(writer => {
        if (last === undefined) return
        writer.varint(last.timeMs).varint(last.draw)
        writeSaid(writer, last.text)
      }),
    decode: bytes =>
      readWhole(bytes, reader => {
        if (reader.remaining === 0) return { last: undefined }
        const [timeMs, draw] = [reader.varint(), reader.varint()]
        return { last: { timeMs, draw, text: readSaid(reader, bytesMax) } }
      }),
    read: ({ last }) => last && saidValue<Value>(last.text),
  }
}

const isLater = (one: Moment, other: Moment): boolean =>
  one.timeMs - other.timeMs > 0 ||
  (one.timeMs === other.timeMs &&
    (one.draw > other.draw || (one.draw === other.draw && one.text > other.text)))
