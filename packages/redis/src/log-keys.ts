import type { DocumentKey } from '@fanfold/protocol'

/** What all keys begin with, by default. */
export const keyPrefixDefault = 'fanfold:'

/** Longest prefix of keys. */
const keyPrefixLengthMax = 100

/**
 * The keys of one document's log. They share a hash tag, so a cluster has them on one node and takes
 * scripts over them; a document key has no braces, so the tag is the whole key.
 */
export type LogKeys = {
  readonly head: string
  readonly log: string
  readonly claims: string
  readonly newer: string
  readonly older: string
  /** What a snapshot's uploads are named by, before their own names. */
  readonly uploads: string
}

/** The keys of a document's log. */
export function logKeysOf(prefix: string, doc: DocumentKey): LogKeys {
  const base = `${prefix}{${doc}}:`
  return {
    head: `${base}head`,
    log: `${base}log`,
    claims: `${base}claims`,
    newer: `${base}snapshot:newer`,
    older: `${base}snapshot:older`,
    uploads: `${base}snapshot:upload:`,
  }
}

/** @throws RangeError when keys cannot begin so: a brace would make another hash tag */
export function requireKeyPrefix(prefix: string): void {
  if (prefix.length <= keyPrefixLengthMax && !/[{}]/.test(prefix)) return
  throw new RangeError(
    `a prefix of keys has at most ${keyPrefixLengthMax} characters and no { or }`,
  )
}
