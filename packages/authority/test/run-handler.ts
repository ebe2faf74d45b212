/*
 * Handlers of a test at work on a state, as the authority runs those of a definition.
 */
import type { JsonObject, PatchOperation } from '@fanfold/document'
import { type Recorded, type RecordOptions, record } from '../src/recorder.ts'

/** The patch of a handler, written without types as authors' code is seen from here. */
export function patchOf(
  state: JsonObject,
  run: (draft: Draft) => unknown,
): readonly PatchOperation[] {
  const result = runOn(state, run)
  if (!result.ok) throw new Error(result.problem.message)
  return JSON.parse(JSON.stringify(result.patch))
}

/** The state as a handler's author types it. */
export type Draft = {
  map: { [key: string]: number | null | undefined }
  list: { id: number; tags?: string[]; at?: number }[]
  chunks: string[]
  team: { name: string; players: { [id: string]: { hp: number; items: string[] } } }
  extra?: unknown
}

/** The one place where a state of JSON gets its author's type, as in the authority. */
export const runOn = (
  state: JsonObject,
  run: (draft: Draft) => unknown,
  options?: RecordOptions,
): Recorded => record(state, draft => run(draft as unknown as Draft), options)

/** A small state with some of everything. */
export const sample = (): JsonObject => ({
  map: { a: 1, b: null },
  list: [{ id: 0 }, { id: 1 }, { id: 2, tags: ['x'] }],
  chunks: ['aa', 'bb', 'cc', 'dd'],
  team: { name: 'home', players: { p1: { hp: 3, items: [] } } },
})

/** A state with long arrays. */
export const long = (count: number): JsonObject => ({
  list: Array.from({ length: count }, (_, id) => ({ id, tags: ['a', 'b'] })),
  chunks: Array.from({ length: count }, (_, index) => `chunk ${index} `.padEnd(128, '.')),
})
