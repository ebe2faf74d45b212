/*
 * An authority's links to the others of its fleet: looks at trees go over them, and what is in use for who stands by;
 * and they tell that one is gone.
 */
import type { LinkInput } from '@fanfold/protocol'
import type { FleetView } from '@fanfold/topology'
import type { ParentLinks } from './parent-links.ts'
import type { RoutedLinks } from './routed-links.ts'

/** As many as production keeps. */
const peersMax = 32

/** Keeps links to other authorities. */
export class PeerWatch implements ParentLinks {
  readonly #links: RoutedLinks

  constructor(links: RoutedLinks, view: FleetView) {
    this.#links = links
    view.onPlaced(() =>
      links.want({ kind: 'want-nodes', nodes: view.peersOf('authority', peersMax) }),
    )
  }

  start(): void {
    // Whom to dial is said when others are known.
  }

  want(): void {
    // An authority has documents from nobody.
  }

  notice(input: LinkInput): boolean {
    return this.#links.isOwn(input.link) ? this.#links.notice(input) : true
  }

  stop(): void {
    this.#links.stop()
  }
}
