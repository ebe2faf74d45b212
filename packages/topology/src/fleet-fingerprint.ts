/*
 * What a fleet is set to, where its nodes are set differently. Nodes that differ compute different owners, so
 * one side must stand aside, and all must say the same one without asking each other.
 *
 * Who was there first stays: the fleet is set as the member is that has been up for longest. Starts that are
 * close together cannot be told apart by all alike, as each hears of them a little later or earlier; so of all
 * that began about then it is what most are set to, and of as many what sorts first.
 */
import { after, type Instant, milliseconds } from '@fanfold/kernel'

/** Members that started within so long after the first one began the fleet together, ms. */
export const beginningMs = 10_000

/** What one member is set to, and since when it is up. */
export type SettledMember = { readonly fingerprint: string; readonly startedAt: Instant }

/** The fingerprint of what a fleet of these members is set to; undefined for none. */
export function fleetFingerprint(members: readonly SettledMember[]): string | undefined {
  const starts = members.map(({ startedAt }) => startedAt)
  const first = starts.reduce((one, other) => (other < one ? other : one), starts[0] as Instant)
  const counts = new Map<string, number>()
  for (const { fingerprint, startedAt } of members) {
    if (startedAt > after(first, milliseconds(beginningMs))) continue
    counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1)
  }
  const [most] = [...counts].toSorted(
    ([one, ones], [other, others]) => others - ones || (one < other ? -1 : 1),
  )
  return most?.[0]
}
