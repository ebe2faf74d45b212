/* What those who watch say of a race, and where they look: what the sums that come of it do to the race. */
import { type Counts, cast, type Rollup, rollup, type Votes } from 'fanfold'
import type { RaceState } from './race.ts'

/** What a crowd has said, for all to see. Cars by their numbers. */
export type Crowd = {
  /** How many watch now. */
  viewers: number
  /** Cheers for each car, in this race. */
  cheers: Record<string, number>
  /** Votes for the driver of the day, in this race. */
  votes: Record<string, number>
  /** Looks at each car: of the viewers that follow one. */
  looks: Rollup
}

/** Nobody there yet. */
export const emptyCrowd = (): Crowd => ({
  viewers: 0,
  cheers: {},
  votes: {},
  looks: rollup.empty(),
})

/** A new race: cheers and votes are for that one. */
export function forgetVotes(race: RaceState): void {
  race.crowd.cheers = {}
  race.crowd.votes = {}
  race.ballots = {}
}

/** Cheers come a few hundred thousand at a time, or three. */
export function takeCheers({ crowd: { cheers } }: RaceState, counts: Counts): void {
  for (const [car, count] of counts) cheers[car] = (cheers[car] ?? 0) + count
}

/** The latest vote of each voter counts. */
export function takeVotes({ crowd: { votes }, ballots }: RaceState, taken: Votes): void {
  for (const { choice, before } of cast(ballots, taken)) {
    votes[choice] = (votes[choice] ?? 0) + 1
    if (before !== undefined) votes[before] = (votes[before] ?? 1) - 1
  }
}
