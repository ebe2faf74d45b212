import { isJsonObject } from '@fanfold/document'
import { decodeUtf8, encodeUtf8 } from '@fanfold/kernel'

/** Who sent the message behind a record: what the part that only authorities keep says. */
export type Origin = {
  /** The token's subject; empty for the authority itself. */
  readonly by: string
  /** Idempotency id, where the writer gave one. */
  readonly id: string | undefined
  /** Name of the message; undefined for a record that no message made. */
  readonly message: string | undefined
}

/** The part's payload. */
export const encodeOrigin = (origin: Origin): Uint8Array => encodeUtf8(JSON.stringify(origin))

/** What the payload says, or `undefined` when it is not an origin. */
export function decodeOrigin(payload: Uint8Array): Origin | undefined {
  const text = decodeUtf8(payload)
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isJsonObject(value)) return undefined
  const { by, id, message } = value
  if (typeof by !== 'string') return undefined
  return {
    by,
    id: typeof id === 'string' ? id : undefined,
    message: typeof message === 'string' ? message : undefined,
  }
}
