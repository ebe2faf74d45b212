/*
 * Loads the addon where it was built. It is never needed: who gets none does the same in JavaScript.
 */

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { addonPath, sourceDigest } from './addon-files.ts'

/**
 * Writes the same bytes to many sockets.
 *
 * @param descriptors file descriptors of connected sockets, open all of them
 * @param count how many of them, from the first on; 0 to `descriptors.length`
 * @param bytes fewer than 2^31
 * @param results takes a pair for each socket that has not taken all, in order: its index in `descriptors`, and how many
 *   bytes it took (0 where its buffer is full), or -1 where it takes none; at least `2 * count` long
 * @returns how many pairs there are
 * @throws TypeError, RangeError for other arguments, and has written nothing then
 */
export type SendAll = (
  descriptors: Int32Array,
  count: number,
  bytes: Uint8Array,
  results: Int32Array,
) => number

/** The addon's function, or why there is none. */
export type Addon =
  | { readonly kind: 'loaded'; readonly sendAll: SendAll }
  | {
      readonly kind: 'absent'
      /** `stale`: it was built of another source than this package's; `unloadable`: Node does not take it. */
      readonly why: 'not-built' | 'stale' | 'unloadable'
      /** A sentence for people. */
      readonly reason: string
    }

const remedy = '`npm run native` builds it'

/** Loads the addon; throws nothing. @param path where it was built, when not in its place */
export function loadAddon(path: string = addonPath): Addon {
  if (!existsSync(path)) return absent('not-built', `there is no ${path}: ${remedy}`)
  let parts: object
  let digest: string
  try {
    parts = Object(createRequire(import.meta.url)(path))
    digest = sourceDigest()
  } catch (error) {
    return absent('unloadable', `${path} cannot be loaded: ${String(error)}`)
  }
  const sendAll: unknown = Reflect.get(parts, 'sendAll')
  if (Reflect.get(parts, 'source') !== digest || !isSendAll(sendAll)) {
    return absent('stale', `${path} was built of another source than this one: ${remedy}`)
  }
  return { kind: 'loaded', sendAll }
}

function absent(why: 'not-built' | 'stale' | 'unloadable', reason: string): Addon {
  return { kind: 'absent', why, reason }
}

/** A function of an addon whose source is known: that says what it takes. */
function isSendAll(value: unknown): value is SendAll {
  return typeof value === 'function'
}
