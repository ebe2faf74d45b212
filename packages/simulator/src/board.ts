/* The document that simulated writers write to: maps, arrays and both nested in each other. */
import {
  type Counts,
  countBy,
  type DocumentDefinition,
  defineDocument,
  message,
  presence,
  reducer,
} from '@fanfold/definition'
import { canonicalJson, type JsonObject } from '@fanfold/document'
import { type BoardRules, type CrowdRules, edgeMembersOf, openRules } from './board-rules.ts'

/** Rows, players and notes are few, so that states stay small and changes meet. */
export const rowsMax = 24
const scoresMax = 8
const notesMax = 6
const cardsMax = 4

type Player = { name: string; scores: number[]; best: { [round: string]: number } }
type Row = { text: string; marks: string[] }
type Vault = { gold: string; notes: { [name: string]: string } }
type Board = {
  title: string
  phase: string
  counters: { [name: string]: number }
  rows: Row[]
  players: { [id: string]: Player }
  /** What is for some only: by subject of a viewer, and for those who have a high label. */
  teams: { [subject: string]: string }
  hands: { [subject: string]: { cards: string[] } }
  roles: { [subject: string]: string }
  vault: Vault
  /** How often each thing counts that a viewer has said; none while nobody has said anything. */
  said?: { [name: string]: number }
  /** How often each kind was said. */
  kinds?: { [kind: string]: number }
  /** How many watch, as the document was told last. */
  viewers?: number
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

const emptyVault = (): Vault => ({ gold: '', notes: {} })

/** What viewers may say of a kind. */
export const saidKinds = ['cheer', 'boo', 'wow'] as const

/**
 * Things that viewers of one world say at most, each by a name of its own: a sum has room for all of them, so it is
 * exact, however many are merged.
 */
export const sayingsMax = 1_000

/** How what viewers say is summed up; the same in each definition. */
const reductions = { said: countBy({ top: sayingsMax }), kinds: countBy({ among: saidKinds }) }

/** Names of the reducers of a board. */
export type BoardReducer = 'said' | 'kinds'

/** How often each thing is in a sum; undefined for a sum that is none of a board's. */
export function countsIn(reducer: string, shape: string, bytes: Uint8Array): Counts | undefined {
  const { said, kinds } = reductions
  if (reducer === 'said' && shape === said.shape) return said.read(said.decode(bytes))
  if (reducer === 'kinds' && shape === kinds.shape) return kinds.read(kinds.decode(bytes))
  return undefined
}

const addCounts = (counts: { [name: string]: number }, said: Counts): void => {
  for (const [name, count] of said) counts[name] = (counts[name] ?? 0) + count
}

/** What may be said, and what it does. */
const crowdMembersOf = ({ aggregatesPerSecond, presenceEveryMs }: CrowdRules) => ({
  crowd: { aggregatesPerSecond },
  reducers: {
    said: reducer({
      message: trusted<{ name: string }>(),
      of: ({ name }) => name,
      into: reductions.said,
      apply: (board: Board, said) => {
        board.said ??= {}
        addCounts(board.said, said)
      },
    }),
    kinds: reducer({
      message: trusted<{ name: string; kind: string }>(),
      of: ({ kind }) => kind,
      into: reductions.kinds,
      apply: (board: Board, said) => {
        board.kinds ??= {}
        addCounts(board.kinds, said)
      },
    }),
  },
  ...(presenceEveryMs === undefined
    ? {}
    : {
        presence: presence<Board>({
          everyMs: presenceEveryMs,
          apply: (board, viewers) => {
            board.viewers = viewers
          },
        }),
      }),
})

/** A definition of simulated documents: all do the same, and differ in who sees what. */
export const defineBoard = (rules: BoardRules): DocumentDefinition =>
  defineDocument({
    ...edgeMembersOf(rules),
    ...(rules.crowd === undefined ? {} : crowdMembersOf(rules.crowd)),
    type: boardType,
    state: (): Board => ({
      title: '',
      phase: phases[0],
      counters: {},
      rows: [],
      players: {},
      teams: {},
      hands: {},
      roles: {},
      vault: emptyVault(),
    }),
    messages: {
      count: message(trusted<{ name: string; by: number }>(), (board, { name, by }) => {
        board.counters[name] = (board.counters[name] ?? 0) + by
      }),
      title: message(trusted<{ title: string }>(), (board, { title }) => {
        board.title = title
      }),
      insert: message(trusted<{ at: number; text: string }>(), (board, { at, text }) => {
        if (board.rows.length >= rowsMax) board.rows.shift()
        board.rows.splice(Math.min(at, board.rows.length), 0, { text, marks: [] })
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
      phase: message(trusted<{ phase: string }>(), (board, { phase }) => {
        board.phase = phase
      }),
      team: message(trusted<{ subject: string; team: string }>(), (board, { subject, team }) => {
        board.teams[subject] = team
      }),
      deal: message(trusted<{ subject: string; card: string }>(), (board, { subject, card }) => {
        board.hands[subject] ??= { cards: [] }
        const { cards } = board.hands[subject]
        if (cards.length >= cardsMax) cards.shift()
        cards.push(card)
      }),
      gather: message(trusted<object>(), board => {
        board.hands = {}
      }),
      role: message(trusted<{ subject: string; role: string }>(), (board, { subject, role }) => {
        board.roles[subject] = role
      }),
      gold: message(trusted<{ gold: string }>(), (board, { gold }) => {
        board.vault.gold = gold
      }),
      note: message(trusted<{ name: string; text: string }>(), (board, { name, text }) => {
        const { notes } = board.vault
        const [oldest] = Object.keys(notes)
        if (oldest !== undefined && Object.keys(notes).length >= notesMax) delete notes[oldest]
        notes[name] = text
      }),
      // Everything that is labelled, and what it is in, is replaced at once.
      rob: message(trusted<{ gold: string }>(), (board, { gold }) => {
        board.vault = { ...emptyVault(), gold }
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

/** The definition under which everybody sees everything. */
export const boardDefinition: DocumentDefinition = defineBoard(openRules)

/** Values of `phase`, on which rules depend. */
export const phases = ['play', 'over', 'broken'] as const

/** Subjects of tokens: few, so that many viewers are the same to rules. */
export const subjects: readonly string[] = ['s0', 's1', 's2', 's3', 's4', 's5']
export const teams: readonly string[] = ['red', 'blue']

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
