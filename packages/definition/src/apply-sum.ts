/* What a sum does to the state: asked by the authority, with bytes that came from below. */
import { ProtocolError } from '@fanfold/protocol'
import type { DocumentDefinition } from './document-definition.ts'

/** What a sum does, or why it is none. */
export type AppliedSum =
  | {
      readonly ok: true
      /** Runs the author's code, which may throw, and returns what that returns: nothing, if it is right. */
      readonly apply: (state: unknown) => unknown
    }
  | {
      readonly ok: false
      readonly code: 'FANFOLD_NO_REDUCER' | 'FANFOLD_BAD_FRAME'
      readonly message: string
    }

/** Reads the sum of a reducer, and says how it is applied. Throws nothing. */
export function applySum(
  definition: DocumentDefinition,
  name: string,
  shape: string,
  bytes: Uint8Array,
): AppliedSum {
  const at = `${definition.type}.${name}`
  const rule = Object.hasOwn(definition.reducers, name) ? definition.reducers[name] : undefined
  if (rule === undefined || rule.into.shape !== shape) {
    const message = `${definition.type} has no reducer ${name} of ${shape}`
    return { ok: false, code: 'FANFOLD_NO_REDUCER', message }
  }
  const { into } = rule
  try {
    const result = into.read(into.decode(bytes) as never)
    return { ok: true, apply: (state): unknown => rule.apply(state, result) }
  } catch (error) {
    const reason = error instanceof ProtocolError ? error.message : 'its reduction threw'
    return { ok: false, code: 'FANFOLD_BAD_FRAME', message: `${at}: ${reason}` }
  }
}
