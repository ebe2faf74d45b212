/*
 * Where operators' placements are asked for at one node: each ends with an answer. What is asked, what is refused and
 * what takes effect is told in the log, with who and why: that is the audit.
 */
import type { ErrorCode } from '@fanfold/protocol'
import type {
  ClusterInput,
  Placement,
  PlacementAnswered,
  PlacementEntry,
  PlacementRequestId,
  PlacementWish,
  TenantQuota,
} from '@fanfold/topology'
import { wallClock } from './clock.ts'
import type { Log } from './logging.ts'

/** What is said anew of each bound of a quota; a bound of which nothing is said stays as it is. */
export type QuotaChange = { readonly [Bound in keyof TenantQuota]?: number | 'none' | undefined }

/** What an operator wants of a tenant or a document. */
export type PlacementChange = {
  readonly subject: string
  readonly who: string
  readonly why: string
  /** The version that the operator has seen, 0 for none; undefined for whatever is known here. */
  readonly expected: number | undefined
} & (
  | {
      readonly kind: 'node'
      /** Whose it is to be; undefined for whoever it would be if nothing were said. */
      readonly node: string | undefined
    }
  /** What a tenant may take from now on. */
  | { readonly kind: 'quota'; readonly quota: QuotaChange }
)

/** What became of it. */
export type PlacementOutcome =
  /** It is kept; or nothing had to be changed. */
  | {
      readonly kind: 'placed'
      readonly entry: PlacementEntry | undefined
      readonly isChanged: boolean
    }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string }

/** What a desk stands on. */
export type PlacementDeskOptions = {
  readonly submit: (input: ClusterInput) => void
  /** What is known; undefined until enough is. */
  readonly placement: () => Placement | undefined
  readonly log: Log
}

const going: PlacementOutcome = {
  kind: 'refused',
  code: 'FANFOLD_DRAINING',
  message: 'the node is going away, and whether it is placed is not known: ask another one',
}

/** Takes operators' changes, and answers each. */
export class PlacementDesk {
  readonly #options: PlacementDeskOptions
  readonly #waiting = new Map<PlacementRequestId, (answer: PlacementOutcome) => void>()
  #count = 0
  #isClosed = false

  constructor(options: PlacementDeskOptions) {
    this.#options = options
  }

  /** Asks for a change; never rejects, and ends as soon as the coordinator has said, or cannot be reached. */
  async ask(change: PlacementChange): Promise<PlacementOutcome> {
    const { log } = this.#options
    const { subject, who, why, expected } = change
    const before = this.#options.placement()?.entry(subject)
    const asked =
      change.kind === 'quota'
        ? { quota: change.quota, quotaBefore: before?.quota }
        : { to: change.node, from: before?.node }
    const line = { subject, ...asked, version: before?.version ?? 0, who, why }
    log.info({ event: 'fleet.place-asked', ...line, expected }, 'operator asks for a placement')
    const outcome = await this.#outcomeOf(change, before)
    if (outcome.kind === 'refused') {
      const { code, message: reason } = outcome
      log.warn({ event: 'fleet.place-refused', ...line, code, reason }, 'placement refused')
    }
    return outcome
  }

  /** The machine has answered. */
  answered({ request, entry, refusal }: PlacementAnswered): void {
    const resolve = this.#waiting.get(request)
    this.#waiting.delete(request)
    if (refusal === undefined) resolve?.({ kind: 'placed', entry, isChanged: true })
    else resolve?.({ kind: 'refused', code: refusal.code, message: adviceOf(refusal, entry) })
  }

  /** Takes no more; what is under way may or may not be kept. */
  close(): void {
    this.#isClosed = true
    for (const resolve of this.#waiting.values()) resolve(going)
    this.#waiting.clear()
  }

  #outcomeOf(
    change: PlacementChange,
    before: PlacementEntry | undefined,
  ): Promise<PlacementOutcome> {
    if (this.#isClosed) return Promise.resolve(going)
    const { expected = before?.version ?? 0 } = change
    const isKnown = this.#options.placement() !== undefined
    const wish = wishOf(change, before)
    // To keep that nothing is said where nothing was would take room for good.
    const isNothing =
      change.kind === 'quota'
        ? isSameQuota(wish.quota, before?.quota)
        : wish.node === undefined && before?.node === undefined
    if (isKnown && isNothing && expected === (before?.version ?? 0)) {
      return Promise.resolve({ kind: 'placed', entry: before, isChanged: false })
    }
    const request = ++this.#count as PlacementRequestId
    return new Promise(resolve => {
      this.#waiting.set(request, resolve)
      this.#options.submit({ kind: 'place-asked', request, wish, expected })
    })
  }
}

/** What the entry is to say; of where it is and what it may take, each is left as it is by the other's change. */
function wishOf(change: PlacementChange, before: PlacementEntry | undefined): PlacementWish {
  const { subject, who, why } = change
  const said = { subject, who, why, atMs: wallClock() }
  if (change.kind === 'node') {
    return { ...said, node: change.node, state: 'active', to: undefined, quota: before?.quota }
  }
  const { node, state = 'active', to } = before ?? {}
  return { ...said, node, state, to, quota: nextQuota(before?.quota, change.quota) }
}

/** The quota with what is said anew of it; undefined where nothing is left of it. */
function nextQuota(before: TenantQuota | undefined, change: QuotaChange): TenantQuota | undefined {
  const bound = (name: keyof TenantQuota): number | undefined => {
    const { [name]: said = before?.[name] } = change
    return said === 'none' ? undefined : said
  }
  const quota = {
    documentsMax: bound('documentsMax'),
    viewersMax: bound('viewersMax'),
    bytesPerSecondMax: bound('bytesPerSecondMax'),
  }
  return isSameQuota(quota, undefined) ? undefined : quota
}

const isSameQuota = (one: TenantQuota | undefined, other: TenantQuota | undefined): boolean =>
  one?.documentsMax === other?.documentsMax &&
  one?.viewersMax === other?.viewersMax &&
  one?.bytesPerSecondMax === other?.bytesPerSecondMax

/** A refusal's message, with what to do. */
function adviceOf(
  { code, message }: { readonly code: ErrorCode; readonly message: string },
  entry: PlacementEntry | undefined,
): string {
  switch (code) {
    case 'FANFOLD_PLACEMENT_CONFLICT': {
      if (entry === undefined) return `${message}: look at what is placed, and decide anew`
      const { who, why, node, quota } = entry
      const what =
        node !== undefined
          ? `placed it on ${node}`
          : quota === undefined
            ? 'released it'
            : 'said what it may take'
      return `${message}: ${who} has ${what} (${why}); look at it, and decide anew`
    }
    case 'FANFOLD_PLACEMENTS_FULL':
      return `${message}: place a tenant instead of each of its documents; what was released counts too`
    default:
      return message
  }
}
