/*
 * How large the changes of a document are and when they come, as live documents have it: uniform sizes
 * at uniform times meet neither the large change in the middle of a burst of small ones, nor the silence
 * after which a link is taken for dead.
 *
 * A profile is data, in one of two forms: a summary, from which sizes and times are drawn, or a replay,
 * which has them one by one in order. Both are scaled to the time that a world writes for.
 */
import { assert, type Prng } from '@fanfold/kernel'

/** Sizes and times of what is written. */
export type WriteProfile = SummaryProfile | ReplayProfile

/** A share of the changes, 0 … 1, that are no larger than so many bytes. */
export type SizeQuantile = { readonly share: number; readonly bytes: number }

/** Sizes by quantiles, and bursts with gaps between them. */
export type SummaryProfile = {
  readonly kind: 'summary'
  readonly name: string
  /** Rising, from a share of 0 to one of 1; between two of them sizes are spread by their logarithms. */
  readonly sizes: readonly SizeQuantile[]
  /** Size that one document is given before all else, and by how many messages; 0 for none. */
  readonly beginBytes: number
  readonly beginMessages: number
  /** Messages that come together at most, and the time between two of them at most, ms. */
  readonly burstMax: number
  readonly burstGapMs: number
  /** How much the gaps between bursts differ: 0 is a beat, 1 anything up to twice the mean. */
  readonly unevenness: number
  /** Share of these gaps that are silences, which are so many times as long. */
  readonly silenceShare: number
  readonly silenceTimes: number
  /** Share of the time that passes before the first of them. */
  readonly quietShare: number
}

/** Sizes and gaps in order, the gap of each before it; they begin anew where more is written. */
export type ReplayProfile = {
  readonly kind: 'replay'
  readonly name: string
  readonly sizes: readonly number[]
  readonly gapsMs: readonly number[]
}

/** When a message is sent, and about how many bytes it changes. */
export type ProfiledWrite = {
  readonly afterMs: number
  readonly bytes: number
  /** Index of the document that it begins, when it does. */
  readonly begins?: number | undefined
}

/** Share of the time within which a document is given the size that it begins with. */
const beginShare = 0.05
/** Share of the messages that may do so. */
const beginningsMax = 0.5

/** The replay of a recording: when each change came, in any clock's ms, and its bytes, in order. */
export function replayOf(
  name: string,
  recorded: readonly { readonly atMs: number; readonly bytes: number }[],
): ReplayProfile {
  assert(recorded.length > 0, `the recording ${name} has a change`)
  let latest = recorded[0]?.atMs ?? 0
  const gapsMs = recorded.map(({ atMs }) => {
    // The order counts, and clocks that recordings were made by go back.
    const gap = Math.max(0, atMs - latest)
    latest = Math.max(latest, atMs)
    return gap
  })
  return { kind: 'replay', name, sizes: recorded.map(({ bytes }) => bytes), gapsMs }
}

/** What is written in one world, as its profile says. */
export class ProfiledWrites {
  readonly #profile: WriteProfile
  readonly #prng: Prng
  readonly #documents: number
  #hasBegun = false
  /** Messages that were taken, those that begin a document not counted. */
  #taken = 0

  /** @param options.documents how many there are, of which one may begin large */
  constructor(options: {
    readonly profile: WriteProfile
    readonly prng: Prng
    readonly documents: number
  }) {
    this.#profile = options.profile
    this.#prng = options.prng
    this.#documents = options.documents
  }

  /** The next `count` messages, all within `forMs`: those that begin a document, then the others in order. */
  next(count: number, forMs: number): readonly ProfiledWrite[] {
    const begun = this.#hasBegun ? [] : this.#beginnings(count, forMs)
    this.#hasBegun = true
    const others = count - begun.length
    const profile = this.#profile
    const writes =
      profile.kind === 'replay'
        ? replayed(profile, { from: this.#taken, count: others, forMs })
        : this.#drawn(profile, others, forMs)
    this.#taken += others
    return [...begun, ...writes]
  }

  #beginnings(count: number, forMs: number): readonly ProfiledWrite[] {
    const profile = this.#profile
    if (profile.kind === 'replay' || profile.beginBytes === 0) return []
    const { beginBytes, beginMessages } = profile
    if (beginMessages > count * beginningsMax) return []
    const begins = this.#prng.below(this.#documents)
    return Array.from({ length: beginMessages }, () => ({
      afterMs: this.#prng.fraction() * forMs * beginShare,
      bytes: Math.ceil(beginBytes / beginMessages),
      begins,
    }))
  }

  #drawn(profile: SummaryProfile, count: number, forMs: number): readonly ProfiledWrite[] {
    const quietMs = forMs * profile.quietShare
    const gaps = drawGaps(profile, this.#prng, count)
    const sum = (kind: 'burst' | 'between'): number => gaps.reduce((ms, gap) => ms + gap[kind], 0)
    // Bursts stay as dense as they are, unless there is no time for them.
    const burstScale = Math.min(1, (forMs - quietMs) / Math.max(1, sum('burst')))
    const betweenMs = forMs - quietMs - sum('burst') * burstScale
    const betweenScale = Math.max(0, betweenMs) / Math.max(1, sum('between'))
    let afterMs = quietMs
    return gaps.map(({ burst, between }) => {
      afterMs = Math.min(forMs, afterMs + burst * burstScale + between * betweenScale)
      return { afterMs, bytes: drawSize(profile.sizes, this.#prng) }
    })
  }
}

/** The part of a recording that is due, with all its gaps as much shorter or longer as makes it last. */
function replayed(
  { sizes, gapsMs }: ReplayProfile,
  { from, count, forMs }: { readonly from: number; readonly count: number; readonly forMs: number },
): readonly ProfiledWrite[] {
  const part = Array.from({ length: count }, (_, index) => (from + index) % sizes.length)
  const gapOf = (at: number): number => gapsMs[at] as number
  const wholeMs = part.reduce((ms, at) => ms + gapOf(at), 0)
  let afterMs = 0
  return part.map(at => {
    afterMs = Math.min(forMs, afterMs + (wholeMs > 0 ? (gapOf(at) / wholeMs) * forMs : 0))
    return { afterMs, bytes: sizes[at] as number }
  })
}

/** What passes before a message, ms: within its burst, or, to be scaled, since the one before. */
type Gap = { readonly burst: number; readonly between: number }

/** Mean of the gaps between bursts, before they are scaled to the time there is. */
const betweenMs = 1_000

function drawGaps(profile: SummaryProfile, prng: Prng, count: number): readonly Gap[] {
  const { burstMax, burstGapMs, unevenness, silenceShare, silenceTimes } = profile
  const gaps: Gap[] = []
  while (gaps.length < count) {
    const varied = betweenMs * (1 + unevenness * (2 * prng.fraction() - 1))
    const between = prng.chance(silenceShare) ? varied * silenceTimes : varied
    gaps.push({ burst: 0, between })
    const others = Math.min(prng.below(burstMax), count - gaps.length)
    for (let index = 0; index < others; index++) {
      gaps.push({ burst: prng.fraction() * burstGapMs, between: 0 })
    }
  }
  return gaps
}

/** A size by its quantiles: in a few draws of a thousand the largest ones come, as they do in fact. */
function drawSize(sizes: readonly SizeQuantile[], prng: Prng): number {
  const share = prng.fraction()
  const above = sizes.findIndex(quantile => quantile.share > share)
  const [low, high] = [sizes[above - 1], sizes[above]]
  assert(low !== undefined && high !== undefined, `quantiles reach from 0 to 1, not to ${share}`)
  const part = (share - low.share) / (high.share - low.share)
  return Math.round(low.bytes * (high.bytes / low.bytes) ** part)
}
