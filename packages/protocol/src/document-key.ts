import type { limits } from './limits.ts'
import { ProtocolError } from './protocol-error.ts'

/** A document's name in the whole system: `<tenant>/<type>/<id>`, checked. */
export type DocumentKey = string & { readonly unit: 'document-key' }

/** The three segments of a key. */
export type DocumentName = { readonly tenant: string; readonly type: string; readonly id: string }

// A segment starts with a letter or digit, so that none is `.` or `..` or an option of a command,
// and holds nothing that a file system, a URL or a Redis key reads as its own.
const segment = '[A-Za-z0-9][A-Za-z0-9_.~-]{0,79}'
const pattern = new RegExp(`^${segment}/${segment}/${segment}$`)

// The table's own number, or this does not compile: the table stays out of a client's bundle.
const keyBytesMax: (typeof limits)['keyBytesMax']['value'] = 255

/** `text` as a key, or `undefined` when it is none. */
export const asDocumentKey = (text: string): DocumentKey | undefined =>
  text.length <= keyBytesMax && pattern.test(text) ? (text as DocumentKey) : undefined

/**
 * `text` as a key.
 *
 * @throws ProtocolError `FANFOLD_BAD_KEY`: three segments of 1 to 80 characters `A-Z a-z 0-9 _ . ~ -`,
 *   each starting with a letter or digit
 */
export function parseDocumentKey(text: string): DocumentKey {
  const key = asDocumentKey(text)
  if (key === undefined) {
    throw new ProtocolError(
      'FANFOLD_BAD_KEY',
      `a document key is <tenant>/<type>/<id>, each 1 to 80 of A-Z a-z 0-9 _ . ~ -, got ${JSON.stringify(text.slice(0, 100))}`,
    )
  }
  return key
}

/** The segments of a key. */
export function documentName(key: DocumentKey): DocumentName {
  const [tenant = '', type = '', id = ''] = key.split('/')
  return { tenant, type, id }
}
