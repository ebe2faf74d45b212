import { createHash } from 'node:crypto'
import { canonicalJson, type JsonValue } from '@fanfold/document'

/** SHA-256 of a value's canonical JSON, in hex: equal for equal values, whoever computes it. */
export const digestOf = (value: JsonValue): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex')
