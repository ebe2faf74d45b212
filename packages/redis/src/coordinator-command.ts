/*
 * What a coordinator writes: announcements, withdrawals and placings, each one script.
 */
import { assert } from '@fanfold/kernel'
import {
  type CoordinatorEffect,
  type CoordinatorInput,
  coordinatorLimits,
  memberLimits,
  placementLimits,
} from '@fanfold/topology'
import type { CoordinatorKeys } from './coordinator-keys.ts'
import { placementIn } from './read-placements.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { RedisCoordinatorLimits } from './redis-coordinator-options.ts'
import { RedisFailure } from './redis-failure.ts'
import { loadScript } from './redis-script.ts'
import { arrayOf, bytesOf } from './reply.ts'

/** What is written. */
export type WritingEffect = Exclude<CoordinatorEffect, { kind: 'coordinator-watch' }>

type EffectOf<Kind extends WritingEffect['kind']> = Extract<WritingEffect, { kind: Kind }>
type Placing = EffectOf<'coordinator-place'>

/** Where it is written. */
export type WritingAccess = {
  readonly connection: RedisConnection
  readonly keys: CoordinatorKeys
  readonly limits: RedisCoordinatorLimits
  /** No other coordinator has it: with a placing's id it names the placing. */
  readonly name: string
  /** Does something again and again until there is an answer, or no hope for one. @throws RedisFailure */
  readonly ask: (attempt: () => Promise<unknown>) => Promise<unknown>
}

const announceScript = loadScript('announce-2')
const placeScript = loadScript('place-3')

/** Refuses what breaks a bound: it was our own part to hold to it. */
export function requireBounds(effect: WritingEffect): void {
  if (effect.kind === 'coordinator-place') {
    const { expected, placement } = effect
    const { subject, version, bytes } = placement
    const { value: bytesMax } = placementLimits.placementBytesMax
    assert(version > expected, `a version after ${expected}, got ${version} of ${subject}`)
    assert(
      bytes.length <= bytesMax,
      `a placement has at most ${bytesMax} bytes, got ${bytes.length}`,
    )
    return
  }
  assert(!effect.incarnation.includes('/'), `an incarnation has no slash, of ${effect.node}`)
  if (effect.kind === 'coordinator-withdraw') return
  const { length } = effect.bytes
  const { value: bytesMax } = memberLimits.memberBytesMax
  assert(length <= bytesMax, `an announcement has at most ${bytesMax} bytes, got ${length}`)
}

/** Writes, and says what came of it; undefined where nothing answers. @throws RedisFailure, MistakenReply */
export async function write(
  access: WritingAccess,
  effect: WritingEffect,
): Promise<CoordinatorInput | undefined> {
  switch (effect.kind) {
    case 'coordinator-announce':
      await say(access, effect, [effect.bytes])
      return { kind: 'announced', announcement: effect.announcement }
    case 'coordinator-withdraw':
      await say(access, effect, [])
      return undefined
    case 'coordinator-place':
      return await place(access, effect)
  }
}

/** What a placing is answered of which nobody knows whether it was done. */
export const unanswered = ({ placing }: Placing, reason: string): CoordinatorInput => ({
  kind: 'place-unanswered',
  placing,
  code: 'FANFOLD_COORDINATOR_UNREACHABLE',
  message: `whether it is placed is not known: ${reason}`,
})

async function say(
  { connection, keys, limits, ask }: WritingAccess,
  { node, incarnation }: { readonly node: string; readonly incarnation: string },
  said: readonly Uint8Array[],
): Promise<void> {
  const { value: keptForMs } = coordinatorLimits.keptForMs
  const channel = channelOf(connection, keys)
  const args = [`${node}/${incarnation}`, keptForMs, limits.membersMax, channel, ...said]
  await ask(() => connection.run(announceScript, [keys.heard, keys.said], args))
}

async function place(access: WritingAccess, effect: Placing): Promise<CoordinatorInput> {
  const { connection, keys, limits } = access
  const { placing, expected, placement } = effect
  const { subject, version, bytes } = placement
  const name = `${access.name}:${placing}`
  const channel = channelOf(connection, keys)
  const args = [subject, expected, version, name, bytes, limits.placementsMax, channel]
  /** True when an attempt was done, or may be yet. */
  let isUnsettled = false
  const reply = await access.ask(async () => {
    try {
      return await connection.run(placeScript, [keys.placed, keys.changes, keys.trail], args)
    } catch (error) {
      isUnsettled ||= error instanceof RedisFailure && error.kind === 'no-answer'
      throw error
    }
  })
  const [outcome, placed] = arrayOf(reply, 'what became of a placing')
  switch (bytesOf(outcome, 'what became of a placing').toString('latin1')) {
    case 'placed':
      return { kind: 'placed', placing }
    case 'full':
      return {
        kind: 'place-refused',
        placing,
        code: 'FANFOLD_PLACEMENTS_FULL',
        message: `${limits.placementsMax} subjects are placed, and no more may be`,
        kept: undefined,
      }
    default: {
      const value = bytesOf(placed, 'a placement')
      const kept = value.length === 0 ? undefined : placementIn(subject, value)
      const at = kept?.version ?? 0
      if (isUnsettled && at > version) {
        return unanswered(effect, `${subject} is at version ${at} by now`)
      }
      return {
        kind: 'place-refused',
        placing,
        code: 'FANFOLD_PLACEMENT_CONFLICT',
        message: `${subject} is at version ${at}, not ${expected}`,
        kept,
      }
    }
  }
}

/** In a cluster each message would go to all of its servers: there it goes without hints. */
const channelOf = ({ address }: RedisConnection, { hints }: CoordinatorKeys): string =>
  address.kind === 'cluster' ? '' : hints
