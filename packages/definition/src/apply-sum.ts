/* What a sum of a crowd does to a document, at its authority. */
import { ProtocolError } from '@fanfold/protocol'
import type { DocumentDefinition } from './document-definition.ts'
import { describeThrown } from './evaluate.ts'
import type { AnyReduction, At } from './message.ts'

/** A sum that can be applied, or why it cannot. */
export type ApplicableSum =
  | {
      readonly ok: true
      /** What the author says that the sum does, for once: it changes the state in place, and may throw. */
      readonly apply: (state: unknown, at: At) => unknown
    }
  | {
      readonly ok: false
      readonly code: 'FANFOLD_NO_REDUCER' | 'FANFOLD_BAD_FRAME' | 'FANFOLD_HANDLER_FAILED'
      readonly message: string
    }

/**
 * Reads a sum by the reducer of `name`, of those that are said and those that are watched. Runs authors' code
 * where the reduction is one of their own, and throws nothing.
 */
export function applySum(
  definition: DocumentDefinition,
  name: string,
  shape: string,
  bytes: Uint8Array,
): ApplicableSum {
  const rule = ruleOf(definition, name)
  const at = `${definition.type}.${name.slice(0, 100)}`
  if (rule === undefined) {
    const message = `${definition.type} has no reducer ${name.slice(0, 100)}`
    return { ok: false, code: 'FANFOLD_NO_REDUCER', message }
  }
  const { into } = rule
  if (into.shape !== shape) {
    const message = `${at}: its sums have the shape ${into.shape}, got ${shape.slice(0, 100)}`
    return { ok: false, code: 'FANFOLD_NO_REDUCER', message }
  }
  if (bytes.length > into.bytesMax) {
    const message = `${at}: a sum of at most ${into.bytesMax} bytes, got ${bytes.length}`
    return { ok: false, code: 'FANFOLD_BAD_FRAME', message }
  }
  try {
    const result = into.read(into.decode(bytes))
    return { ok: true, apply: (state, moment) => rule.apply(state, result, moment) }
  } catch (error) {
    // Bytes that are no sum are the sender's fault, whatever else it is the reduction's.
    const code = error instanceof ProtocolError ? 'FANFOLD_BAD_FRAME' : 'FANFOLD_HANDLER_FAILED'
    return { ok: false, code, message: `${at}: ${describeThrown(error)}` }
  }
}

function ruleOf(
  { reducers, watched }: DocumentDefinition,
  name: string,
):
  | { readonly into: AnyReduction; apply(state: unknown, result: unknown, at: At): void }
  | undefined {
  if (Object.hasOwn(reducers, name)) return reducers[name]
  return Object.hasOwn(watched, name) ? watched[name] : undefined
}
