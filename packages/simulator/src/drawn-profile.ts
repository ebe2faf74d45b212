/*
 * The profile of a world's writes, drawn from its seed: a share of the worlds is written to as live
 * documents are. Each profile is a handful of quantiles and the shape of its arrivals.
 */
import type { Prng } from '@fanfold/kernel'
import type { DrawnOptions } from './drawn-options.ts'
import { defaultSimulationOptions } from './simulation-options.ts'
import type { SummaryProfile } from './write-profile.ts'

/** Share of the worlds that have a profile. */
const profiledShare = 0.2
/** With more documents or slower links than these a world is about something else. */
const documentsMax = 8
const linkBytesPerSecondMin = 4_000

/** The feed of a race: mostly small changes, some together, and a large one now and then. */
const liveTiming: SummaryProfile = {
  kind: 'summary',
  name: 'live timing',
  sizes: [
    { share: 0, bytes: 20 },
    { share: 0.5, bytes: 69 },
    { share: 0.99, bytes: 619 },
    { share: 1, bytes: 8_900 },
  ],
  beginBytes: 0,
  beginMessages: 0,
  burstMax: 6,
  burstGapMs: 4,
  unevenness: 0.8,
  silenceShare: 0.05,
  silenceTimes: 8,
  quietShare: 0,
}

/** Results of an election: nothing for long, and then many of them at once. */
const electionNight: SummaryProfile = {
  ...liveTiming,
  name: 'election night',
  sizes: [
    { share: 0, bytes: 60 },
    { share: 0.5, bytes: 200 },
    { share: 1, bytes: 1_000 },
  ],
  burstMax: 24,
  burstGapMs: 3,
  unevenness: 1,
  silenceShare: 0.3,
  silenceTimes: 10,
  quietShare: 0.4,
}

/** Somebody types: a steady beat of changes that are as small as they can be. */
const editingSession: SummaryProfile = {
  ...liveTiming,
  name: 'editing session',
  sizes: [
    { share: 0, bytes: 20 },
    { share: 1, bytes: 60 },
  ],
  burstMax: 1,
  burstGapMs: 0,
  unevenness: 0.3,
  silenceShare: 0,
  silenceTimes: 1,
}

/** Sizes that a document of a feed begins with. */
const beginBytesMin = 43_000
const beginBytesMax = 72_000
/** So many messages at most make it; one alone makes what fits in one text. */
const beginMessagesMax = 6
const textBytesMax = 48_000
/** A document of such a size takes links, and viewers, that are no slower. */
const largeLinkBytesPerSecond = 200_000
const largeSlowBytesPerSecond = 20_000

/** An editing session has a message in so many ms, and thousands of them where there is time. */
const editEveryMs = 4
const editsMax = 2_000
/** Few look on, so that such a world takes no longer than others. */
const editViewersMax = 4
const editLinkBytesPerSecond = 20_000

/**
 * What a profile makes of the options of a world; nothing for most worlds.
 *
 * @param prng a stream of its own
 */
export function drawProfile(prng: Prng, drawn: DrawnOptions): DrawnOptions {
  const { writes, documents, linkBytesPerSecond } = { ...defaultSimulationOptions, ...drawn }
  const isTaken = prng.chance(profiledShare)
  const draw = prng.pick([drawRace, drawFullRace, drawElection, drawEditing])
  const hasRoom = documents <= documentsMax && linkBytesPerSecond >= linkBytesPerSecondMin
  return isTaken && hasRoom && writes > 0 ? draw(prng, drawn) : {}
}

const drawRace = (): DrawnOptions => ({ writeProfile: liveTiming })

const drawElection = (): DrawnOptions => ({ writeProfile: electionNight })

/** A feed that has run for a while: a document is large from the beginning. */
function drawFullRace(prng: Prng, drawn: DrawnOptions): DrawnOptions {
  const { linkBytesPerSecond, slowBytesPerSecond } = { ...defaultSimulationOptions, ...drawn }
  const beginBytes = beginBytesMin + prng.below(beginBytesMax - beginBytesMin)
  const beginMessages = Math.max(
    1 + prng.below(beginMessagesMax),
    Math.ceil(beginBytes / textBytesMax),
  )
  return {
    writeProfile: { ...liveTiming, name: 'live timing from large', beginBytes, beginMessages },
    linkBytesPerSecond: Math.max(linkBytesPerSecond, largeLinkBytesPerSecond),
    slowBytesPerSecond: Math.max(slowBytesPerSecond, largeSlowBytesPerSecond),
  }
}

function drawEditing(_prng: Prng, drawn: DrawnOptions): DrawnOptions {
  const { writes, busyMs, viewers, linkBytesPerSecond } = { ...defaultSimulationOptions, ...drawn }
  return {
    writeProfile: editingSession,
    writes: Math.min(editsMax, Math.max(writes, Math.round(busyMs / editEveryMs))),
    documents: 1,
    viewers: Math.min(viewers, editViewersMax),
    linkBytesPerSecond: Math.max(linkBytesPerSecond, editLinkBytesPerSecond),
  }
}
