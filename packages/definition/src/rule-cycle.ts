/**
 * A way from a node back to itself, as indexes in order; `undefined` when there is none.
 *
 * @param dependencies for each node the nodes that it depends on
 */
export function findCycle(dependencies: readonly (readonly number[])[]): number[] | undefined {
  const done = new Set<number>()
  const way: number[] = []
  // Each node is entered once, and the way holds each at most once: the depth is their number.
  const visit = (node: number): number[] | undefined => {
    const back = way.indexOf(node)
    if (back >= 0) return way.slice(back)
    if (done.has(node)) return undefined
    way.push(node)
    for (const next of dependencies[node] ?? []) {
      const cycle = visit(next)
      if (cycle !== undefined) return cycle
    }
    way.pop()
    done.add(node)
    return undefined
  }
  for (const node of dependencies.keys()) {
    const cycle = visit(node)
    if (cycle !== undefined) return cycle
  }
  return undefined
}
