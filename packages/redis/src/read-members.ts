/*
 * Reads who has said something. Between two readings of everybody only those are read who spoke since the
 * last one, so what a member says goes to each watcher once, however often it looks.
 */
import { coordinatorLimits } from '@fanfold/topology'
import type { CoordinatorKeys } from './coordinator-keys.ts'
import type { RedisCommand, RedisConnection } from './redis-connection.ts'
import { loadScript } from './redis-script.ts'
import { arrayOf, bytesOf, countOf } from './reply.ts'

/** A last word of an incarnation. */
export type Word = {
  readonly node: string
  readonly incarnation: string
  /** In the order of all words. */
  readonly number: number
  /** Since it was taken, by the server's clock, ms. */
  readonly ageMs: number
  /** What was announced; undefined of who has withdrawn. */
  readonly bytes: Uint8Array | undefined
}

/** A change of placements, by its number and by an id that stands for all changes up to it. */
export type PlacementChange = { readonly number: number; readonly id: string }

/** What a reading gave. */
export type MembersReading = {
  /** In pieces of at most as many as one input may tell of; at least one, which may be empty. */
  readonly pieces: readonly (readonly Word[])[]
  /** Number of the last word that was read. */
  readonly last: number
  /** The last change of placements. */
  readonly change: PlacementChange
}

/** What is read. */
export type MembersQuestion = {
  readonly connection: RedisConnection
  readonly keys: CoordinatorKeys
  /** Number of the last word that is not to be read; 0 for all. */
  readonly since: number
}

type Page = Omit<MembersReading, 'pieces'> & { readonly words: readonly Word[] }

const script = loadScript('read-members-4')
const { value: countMax } = coordinatorLimits.membersToldMax
/** More than as many as are ever kept have; who is emptied while it is read is read again later. */
const pagesMax = 1_000

/**
 * Reads who has said something since, and learns whether the server takes writes.
 *
 * @throws RedisFailure, MistakenReply
 */
export async function readMembers(question: MembersQuestion): Promise<MembersReading> {
  const { connection, keys } = question
  const call = callOf(keys, question.since, '')
  // Nothing is written by it, but it is refused where a write would be.
  const [reply] = await connection.runThen(call, probeOf(keys))
  const first = pageIn(reply)
  const pieces = [first.words]
  let page = first
  // Who speaks while it is read is left to the next reading, so this one ends.
  for (; page.words.length === countMax && pieces.length < pagesMax; pieces.push(page.words)) {
    const { number } = page.words.at(-1) ?? { number: 0 }
    const { keys: names, args } = callOf(keys, number, `${first.last}`)
    page = pageIn(await connection.run(script, names, args))
  }
  return { pieces, last: first.last, change: first.change }
}

/** A write that changes nothing: it is refused where any other one would be. */
export const probeOf = ({ probe }: CoordinatorKeys): RedisCommand => ['setrange', probe, 0, '']

const callOf = (keys: CoordinatorKeys, since: number, until: string) => ({
  script,
  keys: [keys.heard, keys.said, keys.changes, keys.trail],
  args: [since, until, countMax],
})

function pageIn(reply: unknown): Page {
  const [now, last, change, id, ...rest] = arrayOf(reply, 'a reading of members')
  const nowMs = countOf(now, "the server's time")
  const words: Word[] = []
  for (let index = 0; index < rest.length; index += 3) {
    words.push(wordIn(rest.slice(index, index + 3), nowMs))
  }
  return {
    words,
    last: countOf(last, 'the number of a word'),
    change: {
      number: countOf(change, 'the number of a change'),
      id: bytesOf(id, 'the id of a change').toString('latin1'),
    },
  }
}

function wordIn([name, number, said]: readonly unknown[], nowMs: number): Word {
  const text = bytesOf(name, 'the name of a member').toString('utf8')
  const slash = text.lastIndexOf('/')
  const value = bytesOf(said, 'what a member said')
  const colon = value.indexOf(':')
  const at = countOf(colon < 0 ? value : value.subarray(0, colon), 'when a member was heard')
  return {
    node: text.slice(0, slash),
    incarnation: text.slice(slash + 1),
    number: countOf(number, 'the number of a word'),
    // The clock may have gone back since.
    ageMs: Math.max(0, nowMs - at),
    bytes: colon < 0 ? undefined : value.subarray(colon + 1),
  }
}
