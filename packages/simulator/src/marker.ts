/*
 * Markers: texts that a workload plants in values and in names of members, and that nothing else is
 * made of. Where one is found, a value went; so a leak shows without knowing what to look for.
 */
import type { Prng } from '@fanfold/kernel'

const prefix = 'mk'
const digits = 'bcdfghjklmnpqrstvwxz0123456789'
const digitCount = 12
const pattern = new RegExp(`${prefix}[${digits}]{${digitCount}}`, 'g')

/** Characters of a marker. */
export const markerLength: number = prefix.length + digitCount

/** Draws a marker; no two are equal. */
export function drawMarker(prng: Prng): string {
  let text = prefix
  for (let count = 0; count < digitCount; count++) text += digits[prng.below(digits.length)]
  return text
}

/** The markers in a text as it stands. */
export const plainMarkers = (text: string): readonly string[] => text.match(pattern) ?? []

/** The markers in bytes: as they stand, with JSON's escapes, in Base64 of either alphabet, in hexadecimal. */
export function hiddenMarkers(bytes: Uint8Array): ReadonlySet<string> {
  const text = textOf(bytes)
  const found = new Set<string>(plainMarkers(text))
  if (text.includes('\\u')) addAll(found, unescaped(text))
  for (const [run] of text.matchAll(base64Run)) {
    const numbers = [...run].map(character => base64Numbers.get(character) ?? 0)
    for (let from = 0; from < 4; from++) addAll(found, decodeBase64(numbers, from))
  }
  for (const [run] of text.matchAll(hexRun)) {
    for (let from = 0; from < 2; from++) addAll(found, decodeHex(run, from))
  }
  return found
}

const base64Run = new RegExp(`[A-Za-z0-9+/_-]{${Math.ceil((markerLength * 4) / 3)},}`, 'g')
const hexRun = new RegExp(`[0-9a-fA-F]{${2 * markerLength},}`, 'g')
const escapedCharacter = /\\u([0-9a-fA-F]{4})/g
const chunkBytes = 8_192

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const base64Numbers: ReadonlyMap<string, number> = new Map([
  ...[...`${alphabet}+/`].map((character, number) => [character, number] as const),
  ['-', 62],
  ['_', 63],
])

const addAll = (found: Set<string>, text: string): void => {
  for (const marker of plainMarkers(text)) found.add(marker)
}

const unescaped = (text: string): string =>
  text.replace(escapedCharacter, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )

/** One character per byte. */
function textOf(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    text += String.fromCharCode(...bytes.subarray(at, at + chunkBytes))
  }
  return text
}

function decodeBase64(numbers: readonly number[], from: number): string {
  let text = ''
  let bits = 0
  let count = 0
  for (let at = from; at < numbers.length; at++) {
    bits = ((bits << 6) | (numbers[at] ?? 0)) & 0xffff
    count += 6
    if (count < 8) continue
    count -= 8
    text += String.fromCharCode((bits >> count) & 0xff)
  }
  return text
}

function decodeHex(run: string, from: number): string {
  let text = ''
  for (let at = from; at + 1 < run.length; at += 2) {
    text += String.fromCharCode(Number.parseInt(run.slice(at, at + 2), 16))
  }
  return text
}
