import { type DocumentKey, documentName } from './document-key.ts'

/** What a token may allow. `write` includes neither creating by request nor deleting. */
export type GrantedAction = 'observe' | 'write' | 'create' | 'delete'

/** What a verified token says of its bearer; made at the door, never sent on. */
export type Grants = {
  /** The token's subject: who the bearer is to handlers and idempotency keys. */
  readonly subject: string
  /** When set, only documents of this tenant. */
  readonly tenant: string | undefined
  /** Globs over document keys: `*` stands for any characters but `/`, `**` for any. */
  readonly documents: readonly string[]
  readonly allow: readonly GrantedAction[]
  /** When the token ends, ms since 1970; undefined for never. */
  readonly expiresAtMs: number | undefined
  /** The application's own claims. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** True when the bearer may do `action` with the document. */
export function isGranted(grants: Grants, action: GrantedAction, doc: DocumentKey): boolean {
  if (!grants.allow.includes(action)) return false
  if (grants.tenant !== undefined && grants.tenant !== documentName(doc).tenant) return false
  return grants.documents.some(glob => matchesGlob(glob, doc))
}

/** True when `text` matches `glob`, in time linear in both for each star. */
export function matchesGlob(glob: string, text: string): boolean {
  // Greedy with one place to come back to per kind of star: `**` may always take more, `*` only up
  // to the next slash, after which the last `**` takes over.
  let at = 0
  let to = 0
  let star: { glob: number; text: number } | undefined
  let doubleStar: { glob: number; text: number } | undefined
  while (to < text.length) {
    if (glob[at] === '*') {
      if (glob[at + 1] === '*') {
        doubleStar = { glob: at + 2, text: to }
        star = undefined
        at += 2
      } else {
        star = { glob: at + 1, text: to }
        at += 1
      }
    } else if (glob[at] === text[to]) {
      at++
      to++
    } else if (star !== undefined && text[star.text] !== '/') {
      star = { glob: star.glob, text: star.text + 1 }
      at = star.glob
      to = star.text
    } else if (doubleStar !== undefined) {
      doubleStar = { glob: doubleStar.glob, text: doubleStar.text + 1 }
      star = undefined
      at = doubleStar.glob
      to = doubleStar.text
    } else {
      return false
    }
  }
  while (glob[at] === '*') at++
  return at === glob.length
}
