/* One look at what a node has below it: its own standing, and what each child tells of what is below that. */
import type {
  DocumentKey,
  LinkId,
  PeerIdentity,
  TreeEntry,
  TreeRole,
  TreeStanding,
} from '@fanfold/protocol'

/** A child that is asked. */
export type AskedChild = {
  readonly link: LinkId
  readonly peer: PeerIdentity
  /** Entries that it may fill. */
  readonly entriesMax: number
}

type Part = AskedChild & {
  /** Undefined until it has answered, and for one that does not. */
  entries: readonly TreeEntry[] | undefined
  isOver: boolean
}

/** A look at what is below a node. */
export class TreeGather {
  readonly doc: DocumentKey
  readonly #role: TreeRole
  readonly #standing: TreeStanding
  readonly #parts: Part[] = []
  #open = 0

  constructor(options: {
    readonly doc: DocumentKey
    readonly role: TreeRole
    readonly standing: TreeStanding
  }) {
    this.doc = options.doc
    this.#role = options.role
    this.#standing = options.standing
  }

  /** True when everybody has answered who will. */
  get isOver(): boolean {
    return this.#open === 0
  }

  /** A child is asked; what it answers is for the returned function, which takes undefined when nothing will come. */
  ask(child: AskedChild): (entries: readonly TreeEntry[] | undefined) => void {
    const part: Part = { ...child, entries: undefined, isOver: false }
    this.#parts.push(part)
    this.#open++
    return entries => {
      if (part.isOver) return
      part.isOver = true
      part.entries = entries && toldBy(entries, child.peer)?.slice(0, child.entriesMax)
      this.#open--
    }
  }

  /** All that was told, with those who have not answered. */
  entries(): TreeEntry[] {
    const own = { node: '', region: '', role: this.#role, standing: this.#standing }
    const entries: TreeEntry[] = [{ above: undefined, ...own }]
    for (const part of this.#parts) {
      const first = entries.length
      if (part.entries === undefined) entries.push(silent(part.peer))
      for (const { above, ...entry } of part.entries ?? []) {
        entries.push({ above: above === undefined ? 0 : first + above, ...entry })
      }
    }
    return entries
  }
}

/** What was told, with the names of who has sent it; undefined when it says what it may not. */
export function toldBy(
  entries: readonly TreeEntry[],
  { node, region, roles }: PeerIdentity,
): readonly TreeEntry[] | undefined {
  const [own, ...others] = entries
  if (own === undefined) return entries
  if (!roles.includes(own.role) || others.some(entry => entry.node === '')) return undefined
  return [{ ...own, node, region }, ...others]
}

/** A child of which nothing is known but who it is. */
function silent({ node, region, roles }: PeerIdentity): TreeEntry {
  const role = roles.includes('proxy') ? 'proxy' : roles.includes('edge') ? 'edge' : 'authority'
  return { above: 0, role, node, region, standing: undefined }
}
