import type { JsonValue } from '@fanfold/document'
import { decodeUtf8, encodeUtf8 } from '@fanfold/kernel'
import { ByteReader, ByteWriter, badFrame } from '@fanfold/protocol'
import { read } from '../members.ts'

/** One of the crowd, as a reduction knows it. */
export type Voice = {
  /** The viewer's id, the subject of its token. */
  readonly id: string
  /** When the edge heard it: ms since 1970, by the wall clock there. */
  readonly timeMs: number
  /** Of what one voice says, what has the higher stamp is later: 0 … 2⁵³ − 1, from the client. */
  readonly stamp: number
  /** Chance: an integer of 0 … 2⁵³ − 1, another one each time. */
  draw(): number
}

/**
 * How what a crowd says becomes one bounded value: a commutative monoid.
 *
 * Every tier folds and merges, in any order and any grouping: what comes out must not depend on it,
 * bit by bit where it is `exact`, within what `isSame` allows where it is `approximate`.
 * `reductionProblems` looks whether that holds.
 */
export interface Reduction<Operand, Sum, Result = Sum> {
  /**
   * What its sums are like: those of one shape can be merged, of whichever definition they are. 1 to 80 of
   * A-Z a-z 0-9 _ . / -; one of one's own begins with `own/`, and is merged by authorities alone.
   */
  readonly shape: string
  /** `exact` for integers and the like; `approximate` for what has a stated error. */
  readonly accuracy: 'exact' | 'approximate'
  /** The most bytes that an encoded sum has, 1 … 262,144. */
  readonly bytesMax: number
  /** The sum of nothing; each call makes its own. */
  empty(): Sum
  /**
   * `sum` with one operand more: `sum` itself, changed, or another one. Undefined when it has no room for
   * this one, and is as it was. What it throws refuses the message as invalid; then too `sum` is as it was.
   */
  fold(sum: Sum, operand: Operand, voice: Voice): Sum | undefined
  /** Both in one: `sum` itself, changed, or another one; `other` stays. Undefined when they do not fit in one. */
  merge(sum: Sum, other: Sum): Sum | undefined
  /** A sum as it travels; equal sums have equal bytes where it is exact. */
  encode(sum: Sum): Uint8Array
  /**
   * The sum that was encoded, one of its own.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` for bytes that `encode` does not make
   */
  decode(bytes: Uint8Array): Sum
  /** What `apply` is given. */
  read(sum: Sum): Result
  /** Of one that is approximate: whether both may be what one crowd said. */
  isSame?(a: Sum, b: Sum): boolean
}

/** The most bytes that any sum may have. */
export const sumBytesMax = 262_144

const shapePattern = /^[A-Za-z0-9_./-]{1,80}$/
const functions = ['empty', 'fold', 'merge', 'encode', 'decode', 'read'] as const

/** Why this is no reduction; undefined when it may be one. */
export function reductionProblem(into: unknown): string | undefined {
  if (typeof into !== 'object' || into === null) return 'into: a reduction, such as count()'
  const missing = functions.filter(name => typeof read(into, name) !== 'function')
  if (missing.length > 0) return `into: a reduction, without ${missing.join(', ')}`
  const shape = read(into, 'shape')
  if (typeof shape !== 'string' || !shapePattern.test(shape)) {
    return 'into: a shape, 1 to 80 of A-Z a-z 0-9 _ . / -'
  }
  const [accuracy, bytesMax] = [read(into, 'accuracy'), read(into, 'bytesMax')]
  if (accuracy !== 'exact' && accuracy !== 'approximate') {
    return 'into: a reduction is exact or approximate'
  }
  const isBounded = Number.isInteger(bytesMax) && Number(bytesMax) > 0
  if (!isBounded || Number(bytesMax) > sumBytesMax) {
    return `into: bytesMax of 1 to ${sumBytesMax} bytes`
  }
  return accuracy === 'approximate' && typeof read(into, 'isSame') !== 'function'
    ? 'into: what is approximate has isSame'
    : undefined
}

/** A sum of one's own as bytes: its JSON text. */
export const jsonCodec = {
  /** The JSON text of `value`, in UTF-8. */
  encode: (value: JsonValue): Uint8Array => encodeUtf8(JSON.stringify(value)),
  /**
   * The value of which these are the JSON text.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when they are none
   */
  decode: (bytes: Uint8Array): JsonValue => {
    const text = decodeUtf8(bytes)
    try {
      if (text !== undefined) return JSON.parse(text) as JsonValue
    } catch {
      // Told below, as for what is no text.
    }
    return badFrame('a sum is JSON in UTF-8')
  },
} as const

/** What `write` writes. */
export function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(64)
  write(writer)
  return writer.finish()
}

/**
 * What `read` reads of all the bytes.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME` when they are too few or too many
 */
export function readWhole<Value>(bytes: Uint8Array, read: (reader: ByteReader) => Value): Value {
  const reader = new ByteReader(bytes)
  const value = read(reader)
  if (reader.remaining > 0) badFrame(`a sum ends ${reader.remaining} bytes before its bytes do`)
  return value
}
