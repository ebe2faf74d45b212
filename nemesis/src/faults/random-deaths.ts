import type { Prng } from '@fanfold/kernel'

/** A node that may die. */
export type Mortal = { readonly name: string; readonly role: string; readonly region: string }

/** Nodes that are away at one time, at most: no round begins while there are as many. */
export const awayMax = 3

/**
 * Who dies in a round: one node or two at one instant, each role as often. Of authorities, and of the edges of a
 * region, the one that is left is spared while others are away since rounds before.
 *
 * @param away who is away at this instant
 */
export function drawDeaths(
  prng: Prng,
  mortals: readonly Mortal[],
  away: ReadonlySet<string>,
): readonly string[] {
  const roles = [...new Set(mortals.map(({ role }) => role))]
  const alike = (one: Mortal): readonly Mortal[] =>
    mortals.filter(({ role, region }) => {
      return role === one.role && (role === 'authority' || region === one.region)
    })
  const isSpared = (one: Mortal): boolean =>
    one.role !== 'proxy' &&
    alike(one).some(({ name }) => away.has(name)) &&
    alike(one).every(({ name }) => name === one.name || away.has(name))
  const draw = (): string | undefined => {
    const role = prng.pick(roles)
    const ready = mortals.filter(one => {
      return one.role === role && !away.has(one.name) && !isSpared(one)
    })
    return ready.length === 0 ? undefined : prng.pick(ready).name
  }
  const count = 1 + prng.below(2)
  const names = Array.from({ length: count }, draw).filter(name => name !== undefined)
  return [...new Set(names)]
}
