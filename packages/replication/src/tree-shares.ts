/* Of whom a node asks what is below it, and how many entries of the answer each may fill. */

/** Room for what a proxy has below it and has not told of yet, entries. */
const unheardOf = 8

/** A child that may be asked. */
export type AskableChild = {
  readonly peer: { readonly roles: readonly string[] }
  /** Edges below it through all tiers, as it last said; 0 when it has not. */
  readonly edgesBelow: number
}

/** A child that is asked, and the entries that it may fill: itself, and those below it. */
export type Share<Child> = { readonly child: Child; readonly entries: number }

/**
 * Deals out `entriesMax` entries. Where they do not suffice for all children, those with the most below them are
 * asked: proxies make the tree, edges are many and alike.
 */
export function treeShares<Child extends AskableChild>(
  children: readonly Child[],
  entriesMax: number,
): Share<Child>[] {
  const mostBelow = children.toSorted((one, other) => weightOf(other) - weightOf(one))
  const asked = mostBelow.slice(0, entriesMax)
  const weights = asked.reduce((sum, child) => sum + weightOf(child), 0)
  const left = entriesMax - asked.length
  return asked.map(child => {
    const more = weights === 0 ? 0 : Math.floor((left * weightOf(child)) / weights)
    return { child, entries: 1 + more }
  })
}

/** An edge has nobody below it, whatever it says. */
const weightOf = ({ peer, edgesBelow }: AskableChild): number =>
  peer.roles.includes('proxy') ? unheardOf + edgesBelow : 0
