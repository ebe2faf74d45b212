/*
 * A definition with labels and edge variants, for tests of what logs say of it.
 */
import { sha256 } from '@fanfold/conformance'
import { type DocumentDefinition, defineDocument, message } from '@fanfold/definition'
import {
  Chain,
  decodeChange,
  type JsonObject,
  type LabelRule,
  type RecordedDefinition,
  Replica,
} from '@fanfold/document'
import { toHex } from '@fanfold/kernel'
import { type LogRecord, type SignedVariant, type WriterInput, zeroHash } from '@fanfold/protocol'
import { z } from 'zod'
import type { LoadedVariant } from '../src/loaded-definition.ts'
import { opened, type Rig, send } from './build-document.ts'

type Table = {
  score: number
  odds: unknown
  players: { [id: string]: { hand?: unknown; at: number } }
  rows: { s?: unknown; n: number }[]
}

const plain = defineDocument({
  type: 'match',
  state: (): Table => ({ score: 0, odds: { home: 1 }, players: {}, rows: [] }),
  messages: {
    score: message(z.object({}), table => {
      table.score++
    }),
    odds: message(z.object({ odds: z.unknown() }), (table, { odds }) => {
      table.odds = odds
    }),
    deal: message(z.object({ id: z.string(), hand: z.unknown() }), (table, { id, hand }) => {
      table.players[id] = { hand, at: table.score }
    }),
    row: message(z.object({ at: z.number(), s: z.unknown() }), (table, { at, s }) => {
      table.rows.splice(at, 0, { s, n: table.rows.length })
    }),
    shift: message(z.object({}), table => {
      table.rows.shift()
      const [first] = table.rows
      if (first !== undefined) first.s = 'changed'
    }),
    nothing: message(z.object({}), () => undefined),
    fail: message(z.object({}), () => {
      throw new Error('not today')
    }),
  },
})

/** Odds from label 1 on, hands and a member of each row from label 2 on. */
export const tableLabels: readonly LabelRule[] = [
  { pattern: '/odds', label: 1 },
  { pattern: '/players/*/hand', label: 2 },
  { pattern: '/rows/*/s', label: 2 },
]

/** The definition under these labels. */
export const tableOf = (labels: readonly LabelRule[] = tableLabels): DocumentDefinition => ({
  ...plain,
  labels,
})

/** An edge variant with a name of this number. */
export const variantOf = (number: number): SignedVariant => ({
  hash: new Uint8Array(32).fill(number),
  type: 'match',
  token: '',
  signature: new Uint8Array(0),
  code: new Uint8Array([number]),
})

/** The name of the variant with this number. */
export const hashOf = (number: number): string => toHex(variantOf(number).hash)

/** Variants for ceilings 0, 1 and 2, numbered from `first` on. */
export const variantsFrom = (first: number): readonly LoadedVariant[] =>
  [0, 1, 2].map(ceiling => ({ ceiling, variant: variantOf(first + ceiling) }))

/** A rig whose definition is loaded and whose log is empty. */
export function openedTable(...options: Parameters<typeof opened>): Rig {
  const rig = opened(...options)
  rig.load(tableOf(), variantsFrom(1))
  return rig
}

/** The action that makes the initial state. */
export const create = { action: { type: 'create' } } as const
/** Counts up what everybody sees. */
export const score = { action: send('score') }
/** Kinds of records, in order. */
export const kindsOf = (records: readonly LogRecord[] = []): string[] =>
  records.map(({ kind }) => kind)
/** Sets what label 1 sees. */
export const odds = (value: unknown): Partial<WriterInput> => ({
  action: send('odds', { odds: value }),
})
/** Sets what label 2 sees. */
export const deal = (id: string, hand: unknown): Partial<WriterInput> => ({
  action: send('deal', { id, hand }),
})

/** What a record says of the definition. */
export function definitionIn(record: LogRecord | undefined): RecordedDefinition {
  const change = record && decodeChange(record)
  if (change?.kind !== 'definition') throw new Error('a definition record')
  return change.definition
}

/** The public part and those of labels, as texts by tag. */
export const textsOf = (record: LogRecord | undefined): Record<number, string> =>
  Object.fromEntries(
    [0, 1, 2]
      .map(tag => [tag, record?.payload(tag)] as const)
      .flatMap(([tag, payload]) => (payload ? [[tag, String(Buffer.from(payload))]] : [])),
  )

/** The state of a replica of these records below a ceiling, or why there is none. */
export function below(records: readonly LogRecord[], ceiling: number): JsonObject | undefined {
  const chain = new Chain(sha256)
  const replica = new Replica(sha256)
  let before = zeroHash
  for (const record of records) {
    const projected = chain.project(record, ceiling)
    if (!chain.verifies(projected, before)) throw new Error(`record ${record.seq} verifies`)
    before = projected.chainHash
    replica.append(projected)
  }
  return replica.state()
}
