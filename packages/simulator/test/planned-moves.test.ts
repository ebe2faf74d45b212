/* A proxy goes in good order and comes back with nothing: whoever has documents from it is served all the time. */
import { sha256 } from '@fanfold/conformance'
import { decodeLinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { simulate } from '../src/simulate.ts'
import type { WorldEvent } from '../src/world-watch.ts'

/** Who serves each edge with the one document there is. */
class SeenService {
  /** Moves from a parent that served to another one. */
  moves = 0
  /** How often an edge that was served had left its parent before another one served it. */
  gaps = 0
  readonly #links = new Map<string, Set<unknown>>()
  readonly #left = new Set<string>()

  readonly watch = (event: WorldEvent): void => {
    if (event.kind !== 'input' && event.kind !== 'effect') return
    if (!event.node.startsWith('edge')) return
    const happened = event.kind === 'input' ? event.input : event.effect
    if (!('link' in happened)) return
    const frame = 'frame' in happened ? decodeLinkFrame(happened.frame as Uint8Array) : undefined
    if (event.kind === 'input' && frame?.kind === 'welcome') this.#served(event.node, happened.link)
    // Who begins with nothing had let the document go.
    if (frame?.kind === 'join' && frame.have === undefined) this.#left.delete(event.node)
    if (event.kind === 'effect' && frame?.kind === 'leave') this.#leaves(event.node, happened.link)
    // Who could not go in time has lost its parent.
    if (happened.kind === 'link-closed') this.#links.get(event.node)?.delete(happened.link)
  }

  #served(edge: string, link: unknown): void {
    const links = this.#links.get(edge) ?? new Set()
    if (links.size > 0 && !links.has(link)) this.moves++
    if (this.#left.delete(edge)) this.gaps++
    this.#links.set(edge, links.add(link))
  }

  #leaves(edge: string, link: unknown): void {
    const links = this.#links.get(edge)
    if (links?.delete(link) === true && links.size === 0) this.#left.add(edge)
  }
}

t.test('no edge is without a parent while proxies go in good order and come back', async t => {
  const service = new SeenService()
  const { problems } = simulate({
    seed: 'planned moves',
    sha256,
    watch: service.watch,
    redial: 'fleet',
    authorities: 1,
    regions: 1,
    proxies: 3,
    edges: 6,
    viewers: 12,
    documents: 1,
    documentsPerViewer: 1,
    roamingShare: 0,
    busyMs: 12_000,
    writes: 300,
    convergeMaxMs: 60_000,
    faults: [0, 1, 2].map(index => ({
      kind: 'drain',
      node: `proxy-${index}`,
      atMs: 2_000 + 3_000 * index,
      forMs: 1_000,
    })),
  })
  t.same(problems, [])
  t.ok(service.moves >= 6, `${service.moves} moves`)
  t.equal(service.gaps, 0)
})
