/* A document's tree as whoever looks at a node is told of it: nested, and with what it is not. */
import { recentMs, type TreeEntry, type TreeRole, type TreeStanding } from '@fanfold/protocol'

/** A node of the tree. */
export type ShownNode = {
  readonly node: string
  readonly region: string
  readonly role: TreeRole
  /** True for one that did not answer in time: nothing more is known of it. */
  readonly isSilent?: true | undefined
  readonly epoch?: number
  readonly seq?: number
  /** Records that the authority had when it was asked, and this one had not when it was. */
  readonly behind?: number | undefined
  /** How long after its commit the last record came, ms, by the clocks of both machines. */
  readonly lagMs?: number | undefined
  readonly staleForMs?: number | undefined
  readonly isLive?: boolean
  /** At it and below. */
  readonly viewers?: number
  readonly children?: number
  /** Of its children, those that were left out. */
  readonly notAsked?: number
  readonly deltasPerSecond?: number
  readonly bytesPerSecond?: number
  readonly problem?: string | undefined
  readonly below: readonly ShownNode[]
}

/** The tree of a document. */
export type ShownTree = {
  /** The authority has told it, and nobody is silent or left out. */
  readonly isWhole: boolean
  readonly nodes: number
  readonly silent: readonly string[]
  readonly notAsked: number
  /** The nodes from the top to the one that was asked; empty when it does not have the document. */
  readonly path: readonly string[]
  readonly top: ShownNode
}

/** Who was asked. */
type AskedNode = { readonly node: string; readonly region: string }

type Row = ShownNode & { readonly below: ShownNode[] }

/** The tree; undefined when nothing was told. */
export function shownTree(entries: readonly TreeEntry[], asked: AskedNode): ShownTree | undefined {
  const named = entries.map(entry => (entry.node === '' ? { ...entry, ...asked } : entry))
  const headSeq = named[0]?.standing?.seq ?? 0
  const rows = named.map(entry => rowOf(entry, headSeq))
  for (const [at, row] of rows.entries()) {
    const above = named[at]?.above
    if (above !== undefined) rows[above]?.below.push(row)
  }
  const [top] = rows
  if (top === undefined) return undefined
  const silent = rows.filter(({ isSilent }) => isSilent).map(({ node }) => node)
  const notAsked = rows.reduce((sum, row) => sum + (row.notAsked ?? 0), 0)
  const isTold = top.role === 'authority' && headSeq > 0
  const isWhole = isTold && silent.length === 0 && notAsked === 0
  return { isWhole, nodes: rows.length, silent, notAsked, path: pathTo(asked.node, named), top }
}

function rowOf({ node, region, role, standing }: TreeEntry, headSeq: number): Row {
  const who = { node, region, role }
  if (standing === undefined) return { ...who, isSilent: true, below: [] }
  return { ...who, ...shownStanding(standing, headSeq), below: [] }
}

function shownStanding(
  standing: TreeStanding,
  headSeq: number,
): Omit<ShownNode, 'node' | 'region' | 'role' | 'below'> {
  const { epoch, seq, viewers, children, notAsked, isLive, lagMs, problem } = standing
  const perSecond = (recent: number): number => (recent * 1_000) / recentMs
  return {
    epoch,
    seq,
    behind: seq > 0 && headSeq > 0 ? Math.max(0, headSeq - seq) : undefined,
    lagMs,
    staleForMs: standing.staleMs,
    isLive,
    viewers,
    children,
    notAsked,
    deltasPerSecond: perSecond(standing.recentRecords),
    bytesPerSecond: perSecond(standing.recentBytes),
    problem,
  }
}

/** Names from the top down; of several roles of one node the name comes once. */
function pathTo(node: string, entries: readonly TreeEntry[]): readonly string[] {
  const path: string[] = []
  let at = entries.findLastIndex(entry => entry.node === node)
  for (let entry = entries[at]; entry !== undefined; entry = entries[at]) {
    if (path[0] !== entry.node) path.unshift(entry.node)
    at = entry.above ?? -1
  }
  return path
}
