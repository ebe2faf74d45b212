/*
 * What the nodes of a document's tree say of themselves, as a list: whoever is above comes first, and each entry
 * names the place of the one above it. So a tree of any depth is read without recursion, and its beginning is a tree.
 */
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { type ErrorCode, isErrorCode } from './error-code.ts'
import { limits } from './limits.ts'
import { badFrame } from './protocol-error.ts'

/** Roles of nodes in a tree, by their number on the wire. */
export const treeRoles = { authority: 1, proxy: 2, edge: 3 } as const

/** What a node is in a tree. */
export type TreeRole = keyof typeof treeRoles

/** How a role of a node stands with a document, as it says itself. */
export type TreeStanding = {
  /** 0 while it holds nothing of the document, as is `seq`. */
  readonly epoch: number
  readonly seq: number
  /** Viewers at it and below, as they are counted. */
  readonly viewers: number
  /** Nodes that have the document from it. */
  readonly children: number
  /** Of these, those that were not asked. */
  readonly notAsked: number
  /** Records come as those above get them; at an authority, the document is served. */
  readonly isLive: boolean
  /** How long what it holds may have been old, ms; undefined while it is fresh. */
  readonly staleMs?: number | undefined
  /** How long after its commit the last record came, ms, by the clocks of both machines; undefined where it is not known. */
  readonly lagMs?: number | undefined
  /** Records that came, or were committed, in the last `recentMs`, and their bytes. */
  readonly recentRecords: number
  readonly recentBytes: number
  /** Why the document is not served. */
  readonly problem?: ErrorCode | undefined
}

/** For how long records count as recent, ms. */
export const recentMs = 10_000

/** One role of a node in the tree of a document. */
export type TreeEntry = {
  /** Place in the list of the one above it, from 0; undefined for the first one. */
  readonly above: number | undefined
  readonly role: TreeRole
  /** Empty, as the region, for who sends the list: that is for its link to say. */
  readonly node: string
  readonly region: string
  /** Undefined for one that did not answer in time. */
  readonly standing: TreeStanding | undefined
}

/** `above` of the first entry. */
const nobody = 0xffff
const uint32Max = 0xffff_ffff
/** Names end up on terminals: nothing in them may do something there. */
const namePattern = /^(?:[A-Za-z0-9][A-Za-z0-9_.~-]*)?$/

const flags = { live: 1, stale: 2, lag: 4 } as const

/** Appends a list of entries. */
export function writeTree(writer: ByteWriter, entries: readonly TreeEntry[]): ByteWriter {
  writer.uint16(entries.length)
  for (const entry of entries) {
    const bytes = entryBytes(entry)
    writer.uint16(bytes.length).raw(bytes)
  }
  return writer
}

function entryBytes({ above, role, node, region, standing }: TreeEntry): Uint8Array {
  const writer = new ByteWriter()
    .uint16(above ?? nobody)
    .uint8(treeRoles[role])
    .text(node)
    .text(region)
    .uint8(standing === undefined ? 0 : 1)
  if (standing === undefined) return writer.finish()
  const { isLive, staleMs, lagMs } = standing
  return writer
    .uint32(standing.epoch)
    .uint53(standing.seq)
    .uint53(standing.viewers)
    .uint32(capped(standing.children))
    .uint32(capped(standing.notAsked))
    .uint8(
      (isLive ? flags.live : 0) |
        (staleMs === undefined ? 0 : flags.stale) |
        (lagMs === undefined ? 0 : flags.lag),
    )
    .uint32(capped(staleMs ?? 0))
    .uint32(capped(lagMs ?? 0))
    .uint32(capped(standing.recentRecords))
    .uint53(standing.recentBytes)
    .text(standing.problem ?? '')
    .finish()
}

const capped = (value: number): number => Math.min(value, uint32Max)

/**
 * Takes a list of entries.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME`
 */
export function readTree(reader: ByteReader): TreeEntry[] {
  const count = reader.uint16()
  const { value: countMax } = limits.treeEntriesMax
  if (count > countMax) badFrame(`at most ${countMax} entries of a tree, got ${count}`)
  const entries: TreeEntry[] = []
  while (entries.length < count) {
    // What a later version says at the end of an entry is in its length.
    entries.push(readEntry(new ByteReader(reader.raw(reader.uint16())), entries.length))
  }
  return entries
}

function readEntry(reader: ByteReader, at: number): TreeEntry {
  const above = reader.uint16()
  const isPlaced = at === 0 ? above === nobody : above < at
  if (!isPlaced) badFrame(`entry ${at} of a tree is below one before it, got ${above}`)
  const role = roleOf(reader.uint8())
  const [node, region] = [readName(reader), readName(reader)]
  const standing = reader.uint8() === 0 ? undefined : readStanding(reader)
  return { above: at === 0 ? undefined : above, role, node, region, standing }
}

function readStanding(reader: ByteReader): TreeStanding {
  const [epoch, seq, viewers] = [reader.uint32(), reader.uint53(), reader.uint53()]
  const [children, notAsked, flag] = [reader.uint32(), reader.uint32(), reader.uint8()]
  const [staleMs, lagMs] = [reader.uint32(), reader.uint32()]
  const [recentRecords, recentBytes] = [reader.uint32(), reader.uint53()]
  const problem = reader.text(64)
  return {
    epoch,
    seq,
    viewers,
    children,
    notAsked,
    isLive: (flag & flags.live) !== 0,
    ...((flag & flags.stale) === 0 ? {} : { staleMs }),
    ...((flag & flags.lag) === 0 ? {} : { lagMs }),
    recentRecords,
    recentBytes,
    ...(problem === '' ? {} : { problem: isErrorCode(problem) ? problem : 'FANFOLD_OVERLOADED' }),
  }
}

function readName(reader: ByteReader): string {
  const name = reader.text(limits.nodeNameBytesMax.value)
  return namePattern.test(name) ? name : badFrame('a name of letters, digits, and _ . ~ -')
}

function roleOf(number: number): TreeRole {
  switch (number) {
    case treeRoles.authority:
      return 'authority'
    case treeRoles.proxy:
      return 'proxy'
    case treeRoles.edge:
      return 'edge'
    default:
      return badFrame(`a role of 1 to 3, got ${number}`)
  }
}
