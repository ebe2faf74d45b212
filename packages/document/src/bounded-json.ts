/*
 * JSON that came from elsewhere. Over a document one recurses, so it is looked how deep a text goes
 * before it is parsed; whoever sent more than any document has gets nothing of it taken.
 */
import { decodeUtf8 } from '@fanfold/kernel'
import { documentLimits } from './document-limits.ts'

/** What a text may have around a document: a patch, an operation, a part of a definition; and a leaf. */
const aroundMax = 4

/** The value that these bytes are as JSON; undefined when they are none, or nested too deep. */
export function parseBounded(bytes: Uint8Array): unknown {
  if (!isBounded(bytes, documentLimits.depthMax.value + aroundMax)) return undefined
  const text = decodeUtf8(bytes)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const quote = 0x22
const backslash = 0x5c
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]

function isBounded(bytes: Uint8Array, depthMax: number): boolean {
  let depth = 0
  let isText = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (isText) {
      if (byte === backslash) at++
      else if (byte === quote) isText = false
    } else if (byte === quote) isText = true
    else if (byte === openArray || byte === openObject) {
      if (++depth > depthMax) return false
    } else if (byte === closeArray || byte === closeObject) depth--
  }
  return true
}
