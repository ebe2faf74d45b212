/*
 * What the nodes of a world tell of themselves: counted, and a problem where it must not be.
 */
import type { Instant } from '@fanfold/kernel'
import { LogRefusals } from './log-refusals.ts'
import type { NodeFact } from './node-maker.ts'
import type { Problems } from './problems.ts'
import type { SimulationOptions } from './simulation-options.ts'
import type { Tally } from './tally.ts'
import { isAuthority } from './tree-form.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** What an authority tells of that must not be. */
const authorityTroubles: ReadonlySet<string> = new Set([
  'log-behind',
  'log-full',
  'log-waits',
  'snapshot-refused',
  'definition-refused',
  'document-refused',
  'document-quarantined',
  'standby-lost',
])

/** What an authority may tell of where logs lose what they had. */
const lossTroubles: ReadonlySet<string> = new Set(['log-behind', 'FANFOLD_LOG_LOST'])

/** What no node tells of itself while all is well. */
const isAlarm = ({ event, outcome }: NodeFact): boolean =>
  event === 'document-set-aside' || event === 'node-refused' || outcome === 'differs'

/** Takes what nodes tell. */
export class NodeNotes {
  readonly #options: SimulationOptions
  readonly #clock: VirtualClock
  readonly #tally: Tally
  readonly #problems: Problems
  readonly #refusals = new LogRefusals()
  /** When a worker of each node failed last. */
  readonly #workerFailedAt = new Map<string, Instant>()

  constructor(options: {
    readonly options: SimulationOptions
    readonly clock: VirtualClock
    readonly tally: Tally
    readonly problems: Problems
  }) {
    this.#options = options.options
    this.#clock = options.clock
    this.#tally = options.tally
    this.#problems = options.problems
  }

  /** A node tells something of itself. */
  note(node: string, fact: NodeFact): void {
    this.#tally.note(fact)
    this.#refusals.note(fact)
    const isTrouble = isAuthority(node) && authorityTroubles.has(fact.event)
    // Of several authorities another may have claimed the log.
    const isFenced = this.#options.redial === 'fleet' && fact.code === 'FANFOLD_FENCED'
    const isLoss = this.#hasLosses && lossTroubles.has(fact.code ?? fact.event)
    if (isTrouble && !isFenced && !isLoss && !this.#refusals.explain(fact)) {
      this.#problems.add(`authority: ${JSON.stringify(fact)}`)
    }
    if (isAlarm(fact)) this.#problems.add(`${node}: ${JSON.stringify(fact)}`)
    if (fact.event === 'worker-failed') this.#workerFailedAt.set(node, this.#clock.now)
    if (fact.event !== 'resync' || this.#isResyncExpected(node, fact.reason)) return
    this.#problems.add(`${node} starts a stream anew, ${fact.reason}: nothing here does that`)
  }

  /** Whether somebody may have this reason to close a link. */
  isCloseExpected(reason: string): boolean {
    // A second parent goes when it is needed no more; a frame with another bit may be none at all.
    if (reason.startsWith('FANFOLD_MOVED')) return true
    return this.#options.recordDamageShare > 0 && reason.startsWith('FANFOLD_BAD_FRAME')
  }

  get #hasLosses(): boolean {
    return this.#options.faults.some(({ kind }) => kind === 'logs-fallen-back')
  }

  /** Whether a stream may begin anew for this reason. */
  #isResyncExpected(node: string, reason: string | undefined): boolean {
    const { recordDamageShare, pieceDamageShare, pieceLossShare } = this.#options
    switch (reason) {
      // An answer may be late on a slow link, and one that crosses a second join leaves a gap.
      case 'silence':
      case 'gap':
        return true
      case 'hash':
        return recordDamageShare > 0 || this.#hasLosses
      case 'piece':
        return pieceDamageShare > 0 || pieceLossShare > 0
      // Workers end now and then, without other faults too; the second time in a row is one too many.
      case 'broken':
        return this.#workerFailedAt.get(node) === this.#clock.now
      default:
        return false
    }
  }
}
