/*
 * The latest choice of each voter. A vote that comes twice counts once by its nature, so it may be sent again
 * anywhere, by whoever does not know whether it was counted; that costs room for each voter.
 *
 * Which of two votes is the later one is decided by the voter's own stamp. Votes come in several sums, and an
 * older one may come after a newer one: who keeps the ballots compares, see `cast`.
 */
import { badFrame } from '@fanfold/protocol'
import { integerOption, kindBytesMax, nameText, readName } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'

/** One voter's choice. */
export type Vote = { readonly stamp: number; readonly choice: string }

/** Votes by voter. */
export type Votes = ReadonlyMap<string, Vote>

/** The most bytes of UTF-8 in a voter's id. */
const voterBytesMax = 128

/**
 * The latest choice of each voter: a text of 1 to 64 bytes for each viewer's id (of at most 128 bytes). A sum
 * has room for `voters` (1 … 1,024, default 1,024); more go into the next one. Exact.
 */
export function vote(
  options: { readonly voters?: number | undefined } = {},
): Reduction<string, Map<string, Vote>, Votes> {
  const voters = integerOption('voters', options.voters ?? 1_024, 1, 1_024)
  return {
    shape: `vote/${voters}`,
    accuracy: 'exact',
    bytesMax: 2 + voters * (2 + voterBytesMax + 8 + 2 + kindBytesMax),
    empty: () => new Map(),
    fold: (sum, operand, { id, stamp }) => {
      const choice = nameText(operand, kindBytesMax)
      const voter = nameText(id, voterBytesMax)
      if (sum.size === voters && !sum.has(voter)) return undefined
      take(sum, voter, { stamp, choice })
      return sum
    },
    merge: (sum, other) => {
      let more = 0
      for (const voter of other.keys()) if (!sum.has(voter)) more++
      if (sum.size + more > voters) return undefined
      for (const [voter, vote] of other) take(sum, voter, vote)
      return sum
    },
    encode: sum =>
      written(writer => {
        writer.varint(sum.size)
        for (const [voter, { stamp, choice }] of [...sum].toSorted(byVoter)) {
          writer.text(voter).varint(stamp).text(choice)
        }
      }),
    decode: bytes =>
      readWhole(bytes, reader => {
        const size = reader.varint()
        if (size > voters) badFrame(`at most ${voters} voters, got ${size}`)
        const sum = new Map<string, Vote>()
        let before = ''
        for (let at = 0; at < size; at++) {
          const voter = readName(reader, voterBytesMax)
          const vote = { stamp: reader.varint(), choice: readName(reader, kindBytesMax) }
          if (voter <= before) badFrame('voters, rising')
          sum.set(voter, vote)
          before = voter
        }
        return sum
      }),
    read: sum => sum,
  }
}

/** What a document keeps of each voter: the stamp and the choice of the latest vote. */
export type Ballots = { [voter: string]: [stamp: number, choice: string] }

/** What a vote has changed. */
export type Change = {
  readonly choice: string
  /** What the voter chose before; undefined for the first vote. */
  readonly before: string | undefined
}

/**
 * Takes votes into the ballots of a document, and tells what changed: of votes that were taken before, or
 * are older than what the voter chose since, nothing. For `apply`; the ballots are for nobody to see.
 */
export function cast(ballots: Ballots, votes: Votes): Change[] {
  const changes: Change[] = []
  for (const [voter, vote] of votes) {
    const held = Object.hasOwn(ballots, voter) ? ballots[voter] : undefined
    const [stamp, before] = held ?? [-1, undefined]
    if (before !== undefined && !isLater(vote, { stamp, choice: before })) continue
    ballots[voter] = [vote.stamp, vote.choice]
    if (vote.choice !== before) changes.push({ choice: vote.choice, before })
  }
  return changes
}

function take(sum: Map<string, Vote>, voter: string, vote: Vote): void {
  const held = sum.get(voter)
  if (held === undefined || isLater(vote, held)) sum.set(voter, vote)
}

/** Of two votes with one stamp one is the later one everywhere. */
const isLater = (one: Vote, other: Vote): boolean =>
  one.stamp > other.stamp || (one.stamp === other.stamp && one.choice > other.choice)

const byVoter = ([one]: readonly [string, Vote], [other]: readonly [string, Vote]): number =>
  one < other ? -1 : 1
