/* What reductions take of a value: anything else refuses the message, and says why. */
import { forbiddenKeys } from '@fanfold/document'
import { encodeUtf8, hashText } from '@fanfold/kernel'
import { type ByteReader, badFrame } from '@fanfold/protocol'

/** The most bytes of UTF-8 that a kind, a choice or what tells two apart may have. */
export const kindBytesMax = 64

/** @throws RangeError when it is no finite number */
export function finite(operand: number): number {
  // Zero has one form, so that equal sums have equal bytes.
  if (Number.isFinite(operand)) return operand === 0 ? 0 : operand
  throw new RangeError(`a finite number, got ${String(operand).slice(0, 40)}`)
}

/** @throws RangeError when it is no text of 1 to `bytesMax` bytes that may be a member's name */
export function nameText(operand: string, bytesMax: number): string {
  if (isName(operand, bytesMax)) return operand
  throw new RangeError(
    `a well-formed text of 1 to ${bytesMax} bytes, and no name that JavaScript has`,
  )
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` when no such text is next */
export function readName(reader: ByteReader, bytesMax: number): string {
  const name = reader.text(bytesMax)
  return isName(name, bytesMax) ? name : badFrame('a text that may be a member’s name')
}

const loneSurrogate = /\p{Surrogate}/u

/** What is counted by its name becomes a member of the document, most often. */
const isName = (text: string, bytesMax: number): boolean =>
  typeof text === 'string' &&
  text !== '' &&
  !loneSurrogate.test(text) &&
  isShort(text, bytesMax) &&
  !forbiddenKeys.has(text)

/** A code unit has three bytes at most. */
const isShort = (text: string, bytesMax: number): boolean =>
  text.length * 3 <= bytesMax || (text.length <= bytesMax && encodeUtf8(text).length <= bytesMax)

/** @throws RangeError when `value`, called `name`, is no integer of `min` … `max` */
export function integerOption(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new RangeError(`${name}: an integer of ${min} to ${max}, got ${value}`)
}

/** What tells the shapes of two sums apart, where saying all would be long. */
export function shapeHash(text: string): string {
  const { a, b } = hashText(text)
  return [a, b].map(lane => (lane >>> 0).toString(16).padStart(8, '0')).join('')
}

/** The sum of two counts, or undefined over 2⁵³ − 1: a count is refused, never rounded. */
export function plus(a: number, b: number): number | undefined {
  const sum = a + b
  return Math.abs(sum) <= Number.MAX_SAFE_INTEGER ? sum : undefined
}
