/*
 * A fair sample: each message draws a number, and those that drew the lowest are kept. Of two samples of two
 * crowds the lowest of both are a fair sample of all, whatever the sizes of the crowds.
 */
import { badFrame } from '@fanfold/protocol'
import { integerOption, plus } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'
import { readSaid, type SaidText, saidText, saidValue, writeSaid } from './said.ts'

type Drawn = { readonly draw: number; readonly text: SaidText }

/** Those that drew the lowest, in the order of what they drew, and how many there were. */
export type Drawing = { readonly lowest: Drawn[]; count: number }

/** A sample as `apply` is given it. */
export type Sample<Value> = {
  /** Messages that were said. */
  readonly count: number
  /** Some of them, each with the same chance as any other. */
  readonly values: readonly Value[]
}

/**
 * A fair sample of `size` messages (1 … 100), each at most `bytesMax` bytes of JSON (16 … 2,048, default 256; a larger one refuses the message). Exact: whoever merges in whatever order
 * keeps the same ones.
 */
export function sample<Value>(options: {
  readonly size: number
  readonly bytesMax?: number | undefined
}): Reduction<Value, Drawing, Sample<Value>> {
  const size = integerOption('size', options.size, 1, 100)
  const bytesMax = integerOption('bytesMax', options.bytesMax ?? 256, 16, 2_048)
  return {
    shape: `sample/${size}/${bytesMax}`,
    accuracy: 'exact',
    bytesMax: 10 + size * (8 + 2 + bytesMax),
    empty: () => ({ lowest: [], count: 0 }),
    fold: (sum, value, voice) => {
      const count = plus(sum.count, 1)
      if (count === undefined) return undefined
      // Also one that is not kept is looked at: what is refused must not depend on chance.
      const text = saidText(value, bytesMax)
      take(sum.lowest, { draw: voice.draw(), text }, size)
      sum.count = count
      return sum
    },
    merge: (sum, other) => {
      const count = plus(sum.count, other.count)
      if (count === undefined) return undefined
      for (const drawn of other.lowest) take(sum.lowest, drawn, size)
      sum.count = count
      return sum
    },
    encode: ({ lowest, count }) =>
      written(writer => {
        writer.varint(count).varint(lowest.length)
        for (const { draw, text } of lowest) {
          writer.varint(draw)
          writeSaid(writer, text)
        }
      }),
    decode: bytes =>
      readWhole(bytes, reader => {
        const [count, kept] = [reader.varint(), reader.varint()]
        if (kept !== Math.min(count, size)) badFrame(`${size} of ${count} are kept, got ${kept}`)
        const lowest: Drawn[] = []
        for (let at = 0; at < kept; at++) {
          const drawn = { draw: reader.varint(), text: readSaid(reader, bytesMax) }
          const before = lowest.at(-1)
          if (before !== undefined && isLower(drawn, before)) badFrame('what was drawn, rising')
          lowest.push(drawn)
        }
        return { lowest, count }
      }),
    read: ({ lowest, count }) => ({ count, values: lowest.map(({ text }) => saidValue(text)) }),
  }
}

/** Puts it in its place, when it is one of the lowest. */
function take(lowest: Drawn[], drawn: Drawn, size: number): void {
  const last = lowest.at(-1)
  if (lowest.length === size && last !== undefined && !isLower(drawn, last)) return
  let at = lowest.length
  while (at > 0 && isLower(drawn, lowest[at - 1] as Drawn)) at--
  lowest.splice(at, 0, drawn)
  if (lowest.length > size) lowest.pop()
}

const isLower = (one: Drawn, other: Drawn): boolean =>
  one.draw < other.draw || (one.draw === other.draw && one.text < other.text)
