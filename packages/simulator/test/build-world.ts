/* A log of a board under rules, and who looks at it: what the checks of views are tested on. */
import { sha256 } from '@fanfold/conformance'
import {
  Chain,
  encodeDefinitionParts,
  type JsonObject,
  Labels,
  type PatchOperation,
  recordedDefinition,
} from '@fanfold/document'
import { assert, encodeUtf8, toHex } from '@fanfold/kernel'
import {
  encodeRecord,
  type Grants,
  type LogRecord,
  parseDocumentKey,
  type RecordKind,
} from '@fanfold/protocol'
import { type BoardRules, openRules } from '../src/board-rules.ts'
import { BoardVariants } from '../src/board-variants.ts'
import { History } from '../src/history.ts'
import { Problems } from '../src/problems.ts'
import type { Looker } from '../src/sight.ts'
import { ViewOracle } from '../src/view-oracle.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

export const doc = parseDocumentKey('acme/board/final')

/** Somebody with this tier, at an edge behind this ceiling. */
export const looker = (tier: number, ceiling = 239, subject = 's0'): Looker => {
  const grants: Grants = {
    subject,
    tenant: undefined,
    documents: ['**'],
    allow: ['observe'],
    expiresAtMs: undefined,
    claims: { tier, team: 'red' },
  }
  return { grants, ceiling }
}

/**
 * A world whose log says the rules, and then each state in turn: the first one stands at seq 2. It may
 * be said to be deleted then.
 */
export function buildWorld(
  overrides: Partial<BoardRules>,
  states: readonly JsonObject[],
  ending?: 'deleted',
) {
  const clock = new VirtualClock()
  const problems = new Problems(clock)
  const history = new History(sha256, problems)
  const variants = new BoardVariants(sha256)
  const oracle = new ViewOracle(history, variants)
  const built = variants.build({ ...openRules, ...overrides })
  const labels = Labels.compile(built.definition.labels)
  const definition = recordedDefinition({
    variants: built.variants.map(({ ceiling, variant }) => ({
      ceiling,
      hash: toHex(variant.hash),
    })),
    viewKey: 'ab'.repeat(16),
    labels: built.definition.labels,
  })
  const chain = new Chain(sha256)
  const records: LogRecord[] = []
  const add = (kind: RecordKind, parts: readonly [number, Uint8Array][]) => {
    const bytes = encodeRecord({
      kind,
      key: doc,
      epoch: 1,
      seq: records.length + 1,
      timeMs: 0,
      trace: undefined,
      parts: parts.map(([tag, payload]) => ({ tag, salt: new Uint8Array(16), payload })),
    })
    records.push(chain.seal(bytes, records.at(-1)?.chainHash ?? new Uint8Array(32)))
  }
  add('definition', encodeDefinitionParts(definition, new Map()))
  for (const [index, state] of states.entries()) {
    const split =
      index === 0
        ? labels.splitState(state)
        : labels.splitPatch(
            Object.entries(state).map(
              ([name, value]): PatchOperation => ({ op: 'add', path: `/${name}`, value }),
            ),
            state,
          )
    assert(split.ok, 'the states can be divided by their labels')
    const parts = [...split.parts].map(([tag, patch]): [number, Uint8Array] => {
      const [whole] = patch
      const isState = index === 0 && tag === 0 && whole?.op === 'add'
      return [tag, encodeUtf8(JSON.stringify(isState ? whole.value : patch))]
    })
    add(index === 0 ? 'create' : 'delta', parts)
  }
  if (ending === 'deleted') add('delete', [[0, new Uint8Array(0)]])
  history.recordsAreDurable(doc, records)
  return { clock, problems, history, variants, oracle, records }
}
