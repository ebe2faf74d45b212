/*
 * Where the addon's source is and where it is built, and by what one is told to be of the other.
 *
 * Both stand beside `dist`, so that this is true of what was compiled as well.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The addon's C. */
export const sourcePath: string = fileURLToPath(new URL('../../src/direct-send.c', import.meta.url))

/** Where it is built, and loaded from. */
export const addonPath: string = fileURLToPath(
  new URL('../../build/direct-send.node', import.meta.url),
)

/**
 * The SHA-256 of the source, in hexadecimal digits.
 *
 * @throws when the source cannot be read
 */
export function sourceDigest(): string {
  return createHash('sha256').update(readFileSync(sourcePath)).digest('hex')
}
