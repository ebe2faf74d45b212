/** How the proxies of a tree are linked. */
export type TreeForm = {
  /** Authorities, of a fleet; one when it is not said. */
  readonly authorities?: number | undefined
  /** Proxies between the authority and the edges. */
  readonly proxies: number
  /** Children that a node has among the proxies; with 1 they are a chain. */
  readonly proxyFanout: number
}

/** The first parent of a node by their names: `authority`, `proxy-3`, `edge-2`. */
export function firstParentOf(node: string, { proxies, proxyFanout }: TreeForm): string {
  const [role, number] = node.split('-')
  const index = Number(number)
  const parent =
    role === 'proxy' ? Math.floor(index / proxyFanout) - 1 : index % Math.max(1, proxies)
  return parent < 0 || parent >= proxies ? 'authority' : `proxy-${parent}`
}

/** The names of a tree's authorities. */
export const authorityNames = ({ authorities = 1 }: TreeForm): readonly string[] =>
  Array.from({ length: authorities }, (_, index) =>
    index === 0 ? 'authority' : `authority-${index}`,
  )

/** Whether a name is that of an authority. */
export const isAuthority = (node: string): boolean => node.startsWith('authority')
