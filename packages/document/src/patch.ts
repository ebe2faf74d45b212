import jsonPatch, { type Operation } from 'fast-json-patch'
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'

/**
 * One operation of RFC 6902. Fanfold's authority writes only the first three; a record with `move` or
 * `copy` is refused.
 */
export type PatchOperation =
  | { readonly op: 'add'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'replace'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string }
  | { readonly op: 'test'; readonly path: string; readonly value: JsonValue }

/**
 * Applies a delta's patch to `state` in place and returns the state, which is another object when
 * the patch replaces the root. The operations' values become part of the state: they must be fresh
 * from the parser and are not to be used again.
 *
 * Returns `undefined` when an operation does not fit; the state is then half changed and must be
 * thrown away.
 */
export function applyPatch(
  state: JsonObject,
  patch: readonly PatchOperation[],
): JsonObject | undefined {
  try {
    // In place, validated, prototype modification banned: the options are the library's 3rd to 5th.
    const { newDocument } = jsonPatch.applyPatch(state, patch as Operation[], true, true, true)
    return isJsonObject(newDocument) ? newDocument : undefined
  } catch {
    return undefined
  }
}
