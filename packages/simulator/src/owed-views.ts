/* What a viewer is owed of a document, by the oracle: whether it has it, and whether it may be refused. */
import { isGranted } from '@fanfold/protocol'
import { type Observed, viewStateJson } from './observed.ts'
import type { Looker, Sight } from './sight.ts'
import type { ViewOracle } from './view-oracle.ts'

/** What viewers are owed in one world. */
export class OwedViews {
  readonly #oracle: ViewOracle
  readonly #mayBeLarge: boolean

  /** @param mayBeLarge whether a document may be so large that its views are made by workers */
  constructor(oracle: ViewOracle, mayBeLarge: boolean) {
    this.#oracle = oracle
    this.#mayBeLarge = mayBeLarge
  }

  /** Why a viewer has not got what it wants as the log's head makes it; undefined when it has. */
  missing(observed: Observed, looker: Looker): string | undefined {
    const { document, phase, isWanted, viewState, answered } = observed
    const { doc, view } = document
    if (phase === 'ended' || (phase === 'idle' && !isWanted)) return undefined
    const isSettled = phase === 'observing' || phase === 'refused'
    if (!isSettled || observed.isToAskAgain) return 'it is about to change'
    const place = this.#oracle.headPlace(doc)
    const sight = this.#oracle.look(doc, place, looker, viewState)
    if (phase === 'refused') return isRefusable(sight) ? undefined : 'it may see it now'
    if (sight.kind === 'deleted') return 'it was deleted'
    // One that nobody has created yet is waited for: nothing is shown that could be old.
    if (sight.kind === 'absent') return undefined
    if (observed.isStale) return 'its edge says that it is cut off'
    if (answered !== viewStateJson(viewState)) return 'it is not answered yet'
    switch (sight.kind) {
      case 'refused':
        return 'it may not see it any more'
      case 'failed':
        return undefined
      case 'seen': {
        // A view that fails stays as it was.
        if (sight.mayFail) return undefined
        if (view === undefined) return 'it has no view'
        return this.#oracle.differsAt({ doc, place }, looker, viewState, view)
      }
    }
  }

  /** Whether the log says that there is no such document any more. */
  isDeleted({ document: { doc } }: Observed, looker: Looker): boolean {
    return this.#oracle.look(doc, this.#oracle.headPlace(doc), looker, undefined).kind === 'deleted'
  }

  /** Whether a viewer may be refused when it asks now. */
  isRefusable({ document: { doc }, viewState }: Observed, looker: Looker): boolean {
    const place = this.#oracle.headPlace(doc)
    return isRefusable(this.#oracle.look(doc, place, looker, viewState))
  }

  /** Whether what the log has said since the viewer was last shown something is a reason to refuse it. */
  wasRefusable({ document, viewState }: Observed, looker: Looker, code: string): boolean {
    const { doc, shownSeq } = document
    // By its token alone, it is refused also what there is not.
    if (code === 'FANFOLD_FORBIDDEN' && !isGranted(looker.grants, 'observe', doc)) return true
    for (const place of this.#oracle.placesSince(doc, shownSeq)) {
      const sight = this.#oracle.look(doc, place, looker, viewState)
      if (sight.kind === 'refused' && sight.code === code) return true
      // Large views alone are refused for that: small ones stay as they were, and are told as stale.
      const isBroken = this.#mayBeLarge && sight.kind === 'failed'
      if (code === 'FANFOLD_RULE_FAILED' && isBroken) return true
    }
    return false
  }
}

/** Whether somebody may be refused who asks now; large views that fail are, others stay as they were. */
const isRefusable = ({ kind }: Sight): boolean =>
  kind === 'refused' || kind === 'failed' || kind === 'deleted'
