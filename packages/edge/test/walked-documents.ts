/*
 * The documents of random walks, and who may see what of them.
 */
import type { EdgeDefinition } from '@fanfold/definition'
import type { JsonObject, JsonValue, PatchOperation } from '@fanfold/document'
import { define } from './edge-log.ts'
import { put } from './history.ts'
import { byClaims, odds, rule } from './rules.ts'

/** What a viewer may look at. */
export const pages: readonly string[] = ['a', 'b', 'c']
/** What the odds begin with, which are for those who pay. */
export const hush = 'for payers'
/** Definitions that keep them from others. */
export const hiding: readonly string[] = ['odds', 'dense', 'paged']

/** Definitions that the document stands under, one after the other. */
export const definitions: Readonly<Record<string, EdgeDefinition>> = {
  open: define({ observe: byClaims }),
  odds: odds(),
  dense: odds({ observe: { numbering: 'dense' } }),
  lists: define({
    rules: [
      rule('/list/*', (audience, { key }) => audience['premium'] === true || key === '0'),
      rule('/hands/*', (audience, { key }) => audience['hand'] === key),
    ],
    observe: byClaims,
  }),
  paged: define({
    rules: [rule('/odds', audience => audience['premium'] === true)],
    view: (visible, _audience, viewState) => {
      const state = visible as JsonObject
      const page = ((viewState as { page?: string } | undefined)?.page ?? 'a') as string
      return {
        page,
        hand: (state['hands'] as JsonObject)?.[page] ?? null,
        odds: state['odds'] ?? 0,
      }
    },
    viewState: {
      '~standard': { version: 1, vendor: 'test', validate: value => ({ value }) },
    },
    observe: byClaims,
  }),
}

/** The document at first. */
export const start: JsonObject = {
  score: 0,
  odds: hush,
  late: 'x',
  shown: false,
  list: [1, 2, 3],
  hands: { a: 1, b: 2 },
  // So much that a snapshot is not always the smaller way.
  bulk: 'x'.repeat(900),
}

/** How a value gets to its place; a list that is long becomes shorter. */
export function operation(
  state: JsonObject,
  { path, value }: { path: string; value: JsonValue },
): PatchOperation {
  const list = state['list'] as JsonValue[]
  if (path === '/odds') return put(path, `${hush} ${JSON.stringify(value)}`)
  if (path === '/list/-' && list.length > 4) return { op: 'remove', path: '/list/1' }
  return path === '/list/0' ? { op: 'replace', path, value } : put(path, value)
}
