/*
 * What all nodes of a fleet must be set to alike, because each computes from it what the others do: timers
 * of membership, the version of the hash, the names of what they share. Not who is alive, and no secrets.
 *
 * Two nodes compare fingerprints when they meet. Where those differ the links say which entries do, so the
 * entries travel with the fingerprint, and are few and short. A setting that a later version adds is left out
 * while it has the value by which earlier versions act: else a fleet could not be upgraded node by node.
 */
import { assert, encodeUtf8, type Sha256, sha256Bytes, toHex } from '@fanfold/kernel'

/** Hexadecimal digits of a fingerprint that are shown. */
const shortFingerprintDigits = 12

/** What a setting may be. */
export type SettingValue = string | number | boolean

/** The settings that must be alike, by name. */
export type ConfiguredView = Readonly<Record<string, SettingValue>>

/** One setting that two nodes disagree about; undefined where one of them has none. */
export type Difference = {
  readonly name: string
  readonly ours: SettingValue | undefined
  readonly theirs: SettingValue | undefined
}

/** Bounds of a configured view, so that it fits in a hello. */
export const viewLimits = {
  viewBytesMax: { value: 4_096, unit: 'bytes', meaning: 'a configured view as text' },
} as const

/** A view as text: its entries in the order of their names, each a JSON pair. Equal views are equal texts. */
export function viewText(view: ConfiguredView): string {
  const entries = Object.entries(view).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify(entries)
}

/** The fingerprint of a view: SHA-256 of its text, 64 hexadecimal digits. */
export function fingerprintOf(view: ConfiguredView, sha256: Sha256): string {
  const text = encodeUtf8(viewText(view))
  const { value: bytesMax } = viewLimits.viewBytesMax
  assert(text.length <= bytesMax, `a view has at most ${bytesMax} bytes, got ${text.length}`)
  const digest = new Uint8Array(sha256Bytes)
  sha256(text, digest, 0)
  return toHex(digest)
}

/** As much of a fingerprint as people compare. */
export const shortFingerprint = (fingerprint: string): string =>
  fingerprint.slice(0, shortFingerprintDigits)

/** The view of a text from outside; undefined when it is none. */
export function parseView(text: string): ConfiguredView | undefined {
  if (encodeUtf8(text).length > viewLimits.viewBytesMax.value) return undefined
  let entries: unknown
  try {
    entries = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(entries) || !entries.every(isEntry)) return undefined
  return Object.fromEntries(entries)
}

/** Where two views differ, in the order of the names. */
export function differences(ours: ConfiguredView, theirs: ConfiguredView): Difference[] {
  const names = new Set([...Object.keys(ours), ...Object.keys(theirs)])
  return [...names]
    .toSorted()
    .map(name => ({ name, ours: own(ours, name), theirs: own(theirs, name) }))
    .filter(difference => difference.ours !== difference.theirs)
}

/** The differences in words, for who has to remove them. */
export const describeDifferences = (found: readonly Difference[]): string =>
  found
    .map(({ name, ours, theirs }) => `${name} is ${word(ours)} here and ${word(theirs)} there`)
    .join('; ')

const word = (value: SettingValue | undefined): string =>
  value === undefined ? 'not set' : JSON.stringify(value)

const own = (view: ConfiguredView, name: string): SettingValue | undefined =>
  Object.hasOwn(view, name) ? view[name] : undefined

const isEntry = (entry: unknown): entry is [string, SettingValue] =>
  Array.isArray(entry) &&
  entry.length === 2 &&
  typeof entry[0] === 'string' &&
  ['string', 'number', 'boolean'].includes(typeof entry[1])
