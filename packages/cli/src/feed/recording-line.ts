/* What a line of a recording says: when it was, and the value that is sent. */

/** A line, or in words why it is of no use; a line without anything on it is blank. */
export type RecordingLine =
  | {
      readonly kind: 'line'
      /** Time of the recording; undefined for a line that plays with the one before. */
      readonly ms: number | undefined
      readonly value: unknown
    }
  | { readonly kind: 'blank' }
  | { readonly kind: 'malformed'; readonly reason: string }

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Decodes one line.
 *
 * @param valueField member that is the message's value; without it, all but `seq` and `ms` are
 */
export function decodeLine(bytes: Uint8Array, valueField: string | undefined): RecordingLine {
  let text: string
  try {
    text = decoder.decode(bytes).trim()
  } catch {
    return malformed('is not UTF-8')
  }
  if (text === '') return { kind: 'blank' }
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    return malformed('is not JSON')
  }
  if (typeof line !== 'object' || line === null || Array.isArray(line)) {
    return malformed('is not an object')
  }
  // JSON.parse makes infinity of it, and JSON.stringify would make null of that.
  if (hasHugeNumber(text, line)) return malformed('holds a number that is too large')
  const { seq: _, ms, ...rest } = line as Readonly<Record<string, unknown>>
  if (ms !== undefined && (typeof ms !== 'number' || ms < 0)) {
    return malformed('has an ms that is no number from 0 on')
  }
  if (valueField === undefined) {
    if (Object.keys(rest).length === 0) return malformed('has nothing but seq and ms')
    return { kind: 'line', ms, value: rest }
  }
  if (!Object.hasOwn(line, valueField)) return malformed(`has no ${valueField}`)
  return { kind: 'line', ms, value: Reflect.get(line, valueField) }
}

const malformed = (reason: string): RecordingLine => ({ kind: 'malformed', reason })

/** Only an exponent, or hundreds of digits, can be past what a number holds. */
const suspicious = /[eE]\+?\d{3}|\d{300}/

function hasHugeNumber(text: string, line: object): boolean {
  if (!suspicious.test(text)) return false
  const waiting: unknown[] = [line]
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return true
    if (typeof value === 'object' && value !== null) waiting.push(...Object.values(value))
  }
  return false
}
