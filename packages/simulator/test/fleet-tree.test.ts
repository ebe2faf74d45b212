/* The tree of a hot document in a fleet in which nothing goes wrong: as deep as it has to be, and nobody has too many. */
import { sha256 } from '@fanfold/conformance'
import { decodeLinkFrame, type LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { simulate } from '../src/simulate.ts'
import type { WorldEvent } from '../src/world-watch.ts'

/** Who has the document from whom, as the frames on links say. */
class SeenTree {
  /** Children of each proxy, by the proxy's name of the link. */
  readonly #children = new Map<string, Set<number>>()
  /** Nodes between the authority and each edge that was taken, and the authority. */
  readonly depths: number[] = []
  redirects = 0
  dissolved = 0
  /** The most children that any proxy had, at the moment when there were most streams. */
  widest = 0
  #streamsMax = 0

  readonly watch = (event: WorldEvent): void => {
    if (event.kind !== 'input' && event.kind !== 'effect') return
    const happened = event.kind === 'input' ? event.input : event.effect
    if (!('frame' in happened && 'link' in happened)) return
    const { frame: bytes, link } = happened as { frame: Uint8Array; link: number }
    const frame = decodeLinkFrame(bytes)
    if (frame === undefined) return
    if (event.kind === 'input') {
      if (frame.kind === 'leave') this.#children.get(event.node)?.delete(link)
    } else if (frame.kind === 'signal' && frame.signal === 'dissolve') this.dissolved++
    else this.#sent(event.node, link, frame)
  }

  /** The proxies that serve somebody. */
  get serving(): number {
    return [...this.#children.values()].filter(links => links.size > 0).length
  }

  #sent(node: string, link: number, frame: LinkFrame): void {
    if (frame.kind === 'redirect') this.redirects++
    if (frame.kind !== 'welcome' || !node.startsWith('proxy')) return
    const links = this.#children.get(node) ?? new Set()
    this.#children.set(node, links.add(link))
    this.depths.push(frame.place?.path.length ?? 0)
    const sizes = [...this.#children.values()].map(({ size }) => size)
    const streams = sizes.reduce((sum, size) => sum + size, 0)
    if (streams < this.#streamsMax) return
    this.#streamsMax = streams
    this.widest = Math.max(...sizes)
  }
}

/** A fleet of one region with one document that somebody at each edge observes. */
function hotDocument(
  treeChildrenMax: number,
  others: { readonly treeBytesPerSecondMax?: number } = {},
): { tree: SeenTree; problems: readonly string[] } {
  const tree = new SeenTree()
  const { problems } = simulate({
    seed: 'a hot document',
    sha256,
    watch: tree.watch,
    redial: 'fleet',
    authorities: 1,
    regions: 1,
    proxies: 16,
    edges: 40,
    viewers: 160,
    documents: 1,
    documentsPerViewer: 1,
    roamingShare: 0,
    busyMs: 12_000,
    writes: 60,
    treeChildrenMax,
    convergeMaxMs: 60_000,
    ...others,
  })
  return { tree, problems }
}

await t.test('forty edges of which four have room at a node make three tiers', async t => {
  const { tree, problems } = hotDocument(4)
  t.same(problems, [])
  t.ok(tree.redirects > 0)
  // The authority, the region's proxy, and at least two tiers below it.
  t.ok(Math.max(...tree.depths) >= 4, `${Math.max(...tree.depths)} nodes above an edge`)
  t.ok(tree.widest <= 5, `${tree.widest} children, of which one may be about to go`)
  t.equal(tree.serving, 0, 'nothing is left of it when all have gone')
})

await t.test('where all have room there is no tier', async t => {
  const { tree, problems } = hotDocument(64)
  t.same(problems, [])
  t.equal(tree.redirects, 0)
  t.equal(Math.max(...tree.depths), 2)
})

await t.test('where a node may have all, but not send as many bytes, others do', async t => {
  const { tree, problems } = hotDocument(64, { treeBytesPerSecondMax: 20_000 })
  t.same(problems, [])
  t.ok(tree.redirects > 0)
  t.ok(Math.max(...tree.depths) >= 3, `${Math.max(...tree.depths)} nodes above an edge`)
  t.ok(tree.widest < 40, `${tree.widest} children`)
})
