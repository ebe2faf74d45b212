/* The tokens of one viewer in a world: who else it becomes, what it may not observe, and how long each lasts. */
import type { Prng } from '@fanfold/kernel'
import type { DocumentKey, Grants } from '@fanfold/protocol'
import { subjects, teams } from './board.ts'

/** Tokens that take the place of others on an open connection, at most. */
const renewalsMax = 4
/** Tokens that end, at most. */
const endingsMax = 2
const otherSubjectShare = 0.2
const forbiddenShare = 0.3
const tiers = 3
/** Share of the renewals that wait until all is healed. */
const lateShare = 0.4

/** Everything may be observed. */
export const everywhere: Omit<Grants, 'subject' | 'claims'> = {
  tenant: undefined,
  documents: ['**'],
  allow: ['observe'],
  expiresAtMs: undefined,
}

/** What is drawn of one viewer's tokens. */
export type DrawnTokens = {
  /** One after the other. */
  readonly tokens: readonly Grants[]
  /** How often it shows another one while it is busy; what is left it may show later. */
  readonly renewals: number
}

/** Draws who a viewer is after it was the first one. */
export function drawTokens(
  prng: Prng,
  options: {
    readonly first: Pick<Grants, 'subject' | 'claims'>
    /** What it observes. */
    readonly docs: readonly DocumentKey[]
    readonly renewingShare: number
    readonly expiringShare: number
    /** Draws when a token ends, ms since 1970. */
    readonly drawEndMs: () => number
  },
): DrawnTokens {
  const { docs } = options
  const first: Grants = { ...everywhere, ...options.first }
  const renewals = prng.chance(options.renewingShare) ? 1 + prng.below(renewalsMax) : 0
  const endings = prng.chance(options.expiringShare) ? 1 + prng.below(endingsMax) : 0
  const tokens = [first]
  let tier = Number(first.claims['tier'])
  for (let count = renewals + endings; count > 0; count--) {
    const forbidden = prng.chance(forbiddenShare) ? prng.pick(docs) : undefined
    tier = (tier + 1 + prng.below(tiers - 1)) % tiers
    tokens.push({
      ...first,
      subject: prng.chance(otherSubjectShare) ? prng.pick(subjects) : first.subject,
      claims: { tier, team: prng.pick(teams) },
      documents: forbidden === undefined ? ['**'] : docs.filter(doc => doc !== forbidden),
    })
  }
  const ends = Array.from({ length: endings }, options.drawEndMs).sort((a, b) => a - b)
  const all = tokens.map((token, index) => ({ ...token, expiresAtMs: ends[index] }))
  const early = Array.from({ length: renewals }, () => !prng.chance(lateShare)).filter(Boolean)
  return { tokens: all, renewals: early.length }
}
