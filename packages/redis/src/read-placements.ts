/*
 * Reads what operators placed: the changes since one that is known, or everything where that change is not of
 * the history that the server has now.
 */
import type { KeptPlacement } from '@fanfold/topology'
import type { CoordinatorKeys } from './coordinator-keys.ts'
import type { PlacementChange } from './read-members.ts'
import type { RedisConnection } from './redis-connection.ts'
import { RedisFailure } from './redis-failure.ts'
import { loadScript } from './redis-script.ts'
import { arrayOf, bytesOf, countOf } from './reply.ts'

/** What a reading gave. */
export type PlacementsReading = {
  /** True when it is all that is kept, false when it is what changed. */
  readonly isWhole: boolean
  readonly placements: readonly KeptPlacement[]
  /** The last change that was read. */
  readonly change: PlacementChange
}

/** Before the first reading. */
export const noChange: PlacementChange = { number: 0, id: '' }

const script = loadScript('read-placements-3')
/** Placements of one reply: of 4 KiB each, 1 MiB. */
const countMax = 256
/** Replies of one reading: more come only while placements change faster than they are read. */
const pagesMax = 1_000

/** Reads what changed since a change. @throws RedisFailure, MistakenReply */
export async function readPlacements(question: {
  readonly connection: RedisConnection
  readonly keys: CoordinatorKeys
  readonly since: PlacementChange
}): Promise<PlacementsReading> {
  const { connection, keys } = question
  const names = [keys.placed, keys.changes, keys.trail]
  const placements = new Map<string, KeptPlacement>()
  let isWhole = false
  let change = question.since
  let from = change.number
  for (let page = 0; page < pagesMax; page++) {
    const args = [change.number, change.id, from, countMax]
    const reply = await connection.run(script, names, args)
    const [isKnown, number, id, ...rest] = arrayOf(reply, 'a reading of placements')
    if (isKnown !== 1) {
      // It begins at the first one, also where the history changed in the middle of a reading.
      isWhole = true
      placements.clear()
    }
    change = {
      number: countOf(number, 'the number of a change'),
      id: bytesOf(id, 'the id of a change').toString('latin1'),
    }
    for (let index = 0; index < rest.length; index += 3) {
      const [subject, changed, placed] = rest.slice(index, index + 3)
      const kept = placementIn(bytesOf(subject, 'a subject').toString('utf8'), placed)
      placements.set(kept.subject, kept)
      from = countOf(changed, 'the number of a change')
    }
    if (rest.length < 3 * countMax) {
      return { isWhole, placements: [...placements.values()], change }
    }
  }
  throw new RedisFailure('not-now', 'placements change faster than they are read')
}

/** A placement as it is kept: `<version> <placing> <bytes>`. @throws MistakenReply */
export function placementIn(subject: string, placed: unknown): KeptPlacement {
  const value = bytesOf(placed, 'a placement')
  const afterVersion = value.indexOf(' ')
  const version = countOf(
    value.subarray(0, Math.max(0, afterVersion)),
    'the version of a placement',
  )
  return { subject, version, bytes: value.subarray(value.indexOf(' ', afterVersion + 1) + 1) }
}
