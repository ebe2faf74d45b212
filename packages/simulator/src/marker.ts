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

/**
 * The markers in bytes: as they stand, with JSON's escapes, in Base64 of either alphabet, in hexadecimal.
 *
 * All of these but escapes stand in a run of characters that Base64 has too. Runs shorter than a marker are
 * stepped over, mostly by one look at each `markerLength` bytes; what a longer one may hide is decoded only
 * where the first letters of a marker show.
 */
export function hiddenMarkers(bytes: Uint8Array): ReadonlySet<string> {
  let found: Set<string> | undefined
  const note = (marker: string): void => {
    found ??= new Set()
    found.add(marker)
  }
  const last = bytes.length - markerLength
  for (let from = 0; from <= last; ) {
    let at = from + markerLength - 1
    while (at >= from && isBase64(bytes, at)) at--
    if (at >= from) {
      from = at + 1
      continue
    }
    let end = from + markerLength
    while (end < bytes.length && isBase64(bytes, end)) end++
    lookIntoRun(bytes, from, end, note)
    from = end + 1
  }
  if (hasEscapes(bytes)) for (const marker of plainMarkers(unescaped(textOf(bytes)))) note(marker)
  return found ?? noMarkers
}

const noMarkers: ReadonlySet<string> = new Set()
const base64RunMin = Math.ceil((markerLength * 4) / 3)
const hexRunMin = 2 * markerLength
const escapedCharacter = /\\u([0-9a-fA-F]{4})/g
const chunkBytes = 8_192

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const notBase64 = 64
/** By character, the number that it stands for in Base64 of either alphabet, or `notBase64`. */
const base64Numbers = new Uint8Array(256).fill(notBase64)
for (const [number, character] of [...`${alphabet}+/`].entries()) {
  base64Numbers[character.charCodeAt(0)] = number
}
base64Numbers[code('-')] = 62
base64Numbers[code('_')] = 63

/** By character, whether a marker has it behind its prefix. */
const isDigit = new Uint8Array(256)
for (const digit of digits) isDigit[code(digit)] = 1

const [m, k] = [code('m'), code('k')]
const [b, W, one, r, t, a] = [code('b'), code('W'), code('1'), code('r'), code('t'), code('a')]
const [six, d, D, B] = [code('6'), code('d'), code('D'), code('B')]
const [backslash, u] = [code('\\'), code('u')]

function code(character: string): number {
  return character.charCodeAt(0)
}

const isBase64 = (bytes: Uint8Array, at: number): boolean =>
  base64Numbers[bytes[at] as number] !== notBase64

/** What a run of Base64's characters has, which is at least as long as a marker. */
function lookIntoRun(
  bytes: Uint8Array,
  from: number,
  end: number,
  note: (marker: string) => void,
): void {
  let plainFrom = from
  let mayHideBase64 = false
  let mayHideHex = false
  for (let at = from; at + 2 < end; at++) {
    const first = bytes[at]
    const second = bytes[at + 1]
    if (first === m && second === k) {
      if (at < plainFrom || !isMarkerAt(bytes, at, end)) continue
      plainFrom = at + markerLength
      let marker = ''
      for (let next = at; next < plainFrom; next++) {
        marker += String.fromCharCode(bytes[next] as number)
      }
      note(marker)
    } else if (second === W || second === one || second === t) {
      mayHideBase64 ||= isBase64OfPrefix(bytes, at)
    } else if (first === six && (second === d || second === D) && bytes[at + 2] === six) {
      mayHideHex ||= bytes[at + 3] === b || bytes[at + 3] === B
    }
  }
  if (mayHideBase64 && end - from >= base64RunMin) {
    for (let shift = 0; shift < 4; shift++) {
      for (const marker of plainMarkers(decodeBase64(bytes, from + shift, end))) note(marker)
    }
  }
  if (!mayHideHex) return
  for (const [run] of textOf(bytes.subarray(from, end)).matchAll(hexRun)) {
    for (let shift = 0; shift < 2; shift++) {
      for (const marker of plainMarkers(decodeHex(run, shift))) note(marker)
    }
  }
}

function isMarkerAt(bytes: Uint8Array, from: number, end: number): boolean {
  if (from + markerLength > end) return false
  for (let at = from + prefix.length; at < from + markerLength; at++) {
    if (isDigit[bytes[at] as number] === 0) return false
  }
  return true
}

/** Whether the prefix begins in the character at `at`, whose first bits may be of what is before it. */
function isBase64OfPrefix(bytes: Uint8Array, at: number): boolean {
  const second = bytes[at + 1]
  const third = bytes[at + 2] as number
  if (second === W) return bytes[at] === b && (base64Numbers[third] as number) >> 2 === 0b1011
  const before = base64Numbers[bytes[at] as number] as number
  if (second === one) return third === r && (before & 0b1111) === 0b0110
  return third === a && (before & 0b11) === 0b01
}

function hasEscapes(bytes: Uint8Array): boolean {
  const first = bytes.indexOf(backslash)
  if (first < 0) return false
  // JSON within JSON has many, and each search takes longer than the way to the next one.
  for (let at = first; at + 1 < bytes.length; at++) {
    if (bytes[at] === backslash && bytes[at + 1] === u) return true
  }
  return false
}

const hexRun = new RegExp(`[0-9a-fA-F]{${hexRunMin},}`, 'g')

const unescaped = (text: string): string =>
  text.replace(escapedCharacter, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** One character per byte. */
function textOf(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    text += String.fromCharCode(...bytes.subarray(at, at + chunkBytes))
  }
  return text
}

function decodeBase64(bytes: Uint8Array, from: number, end: number): string {
  let text = ''
  let bits = 0
  let count = 0
  for (let at = from; at < end; at++) {
    bits = ((bits << 6) | (base64Numbers[bytes[at] as number] as number)) & 0xffff
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
