/* The document that simulated writers write to: maps, arrays and both nested in each other. */
import { type DocumentDefinition, defineDocument, message } from '@fanfold/definition'
import { canonicalJson, type JsonObject } from '@fanfold/document'
import type { Prng } from '@fanfold/kernel'

/** Rows and players are few, so that states stay small and changes meet. */
const rowsMax = 24
const playersMax = 12
const scoresMax = 8

type Player = { name: string; scores: number[]; best: { [round: string]: number } }
type Row = { text: string; marks: string[] }
type Board = {
  title: string
  counters: { [name: string]: number }
  rows: Row[]
  players: { [id: string]: Player }
}

/** A message of a board. */
export type BoardMessage = { readonly message: string; readonly value: unknown }

/** A schema for values that the workload itself has drawn. */
type Trusted<Value> = {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: 'fanfold'
    readonly validate: (
      value: unknown,
    ) => { readonly value: Value } | { readonly issues: readonly { readonly message: string }[] }
    readonly types?: { readonly input: Value; readonly output: Value } | undefined
  }
}

const trusted = <Value>(): Trusted<Value> => ({
  '~standard': {
    version: 1,
    vendor: 'fanfold',
    validate: value =>
      typeof value === 'object' && value !== null
        ? // The workload draws no other objects than those of the message's type.
          { value: value as Value }
        : { issues: [{ message: 'an object' }] },
  },
})

/** Type of the documents; the middle segment of their keys. */
export const boardType = 'board'

/** The definition of simulated documents. */
export const boardDefinition: DocumentDefinition = defineDocument({
  type: boardType,
  state: (): Board => ({ title: '', counters: {}, rows: [], players: {} }),
  messages: {
    count: message(trusted<{ name: string; by: number }>(), (board, { name, by }) => {
      board.counters[name] = (board.counters[name] ?? 0) + by
    }),
    title: message(trusted<{ title: string }>(), (board, { title }) => {
      board.title = title
    }),
    insert: message(trusted<{ at: number; text: string }>(), (board, { at, text }) => {
      board.rows.splice(Math.min(at, board.rows.length), 0, { text, marks: [] })
      if (board.rows.length > rowsMax) board.rows.shift()
    }),
    remove: message(trusted<{ at: number }>(), (board, { at }) => {
      board.rows.splice(at, 1)
    }),
    mark: message(trusted<{ at: number; mark: string }>(), (board, { at, mark }) => {
      const row = board.rows[at]
      if (row === undefined) throw new Error(`no row ${at}`)
      if (row.marks.includes(mark)) row.marks = row.marks.filter(other => other !== mark)
      else row.marks.push(mark)
    }),
    turn: message(trusted<object>(), board => {
      board.rows.reverse()
    }),
    score: message(
      trusted<{ player: string; points: number; round: string }>(),
      (board, { player, points, round }) => {
        board.players[player] ??= { name: `player ${player}`, scores: [], best: {} }
        const { scores, best } = board.players[player]
        scores.push(points)
        if (scores.length > scoresMax) scores.shift()
        best[round] = Math.max(best[round] ?? 0, points)
      },
    ),
    retire: message(trusted<{ player: string }>(), (board, { player }) => {
      delete board.players[player]
    }),
    // Changes a good deal and then throws: none of it may be seen.
    fail: message(trusted<{ why: string }>(), (board, { why }) => {
      board.title = why
      board.counters = {}
      board.rows.unshift({ text: why, marks: [why] })
      throw new Error(why)
    }),
    nothing: message(trusted<object>(), () => undefined),
  },
})

/**
 * Why a board's counters are not what these messages, each counted once, make them; undefined when
 * they are.
 */
export function countersDiffer(
  messages: readonly BoardMessage[],
  state: JsonObject | undefined,
): string | undefined {
  const expected: JsonObject = {}
  for (const { message, value } of messages) {
    if (message !== 'count') continue
    const { name, by } = value as { name: string; by: number }
    expected[name] = Number(expected[name] ?? 0) + by
  }
  const actual = canonicalJson(state?.['counters'] ?? {})
  const wanted = canonicalJson(expected)
  return actual === wanted ? undefined : `counters are ${actual}, the messages make ${wanted}`
}

/** Draws a message whose texts have at most about so many characters. */
export function drawMessage(prng: Prng, textMax: number): BoardMessage {
  const text = (): string => {
    const word = prng.pick(words)
    return word.repeat(1 + prng.below(Math.max(1, Math.floor(textMax / word.length))))
  }
  const draw = prng.below(100)
  if (draw < 35) {
    const value = { name: `c/${prng.below(8)}~`, by: 1 + prng.below(5) }
    return { message: 'count', value }
  }
  if (draw < 40) return { message: 'title', value: { title: text() } }
  if (draw < 58) return { message: 'insert', value: { at: prng.below(rowsMax), text: text() } }
  if (draw < 63) return { message: 'remove', value: { at: prng.below(rowsMax) } }
  if (draw < 72) {
    return { message: 'mark', value: { at: prng.below(8), mark: prng.pick(words) } }
  }
  if (draw < 74) return { message: 'turn', value: {} }
  if (draw < 91) {
    const player = `${prng.below(playersMax)}`
    return {
      message: 'score',
      value: { player, points: prng.below(1000), round: `${prng.below(3)}` },
    }
  }
  if (draw < 94) return { message: 'retire', value: { player: `${prng.below(playersMax)}` } }
  if (draw < 97) return { message: 'fail', value: { why: text() } }
  if (draw < 99) return { message: 'nothing', value: {} }
  return { message: 'count', value: 'not an object' }
}

// Some need escapes in JSON or in a pointer, some have several bytes per character.
const words = ['a', 'goal ', 'two"quotes" ', 'tilde~slash/ ', 'naïve ', '東京 ', '🏁', '\\ \n']
