import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A script as its server knows it: by the hash of its text. */
export type RedisScript = {
  readonly name: string
  readonly text: string
  /** SHA-1 of the text, in hexadecimal digits. */
  readonly digest: string
  readonly keyCount: number
}

// From `src` and from `dist/src` alike: what is compiled stands two folders deeper than it was written.
const folders = [new URL('./lua/', import.meta.url), new URL('../../src/lua/', import.meta.url)]

/**
 * Loads `lua/<name>.lua`, whose name ends with the number of its keys.
 *
 * @throws when there is no such file: the package is not whole
 */
export function loadScript(name: string): RedisScript {
  const keyCount = Number(/-(\d+)$/.exec(name)?.[1])
  const text = read(`${name}.lua`)
  return { name, text, digest: createHash('sha1').update(text).digest('hex'), keyCount }
}

function read(file: string): string {
  let failure: unknown
  for (const folder of folders) {
    try {
      return readFileSync(new URL(file, folder), 'utf8')
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
