/*
 * What happened in the worlds of a campaign: a campaign in which something never happened has proved
 * nothing about it, however right everything was.
 */
import type { WorldName } from './drawn-world.ts'
import type { SimulationResult } from './simulate.ts'

/** Something that may happen in a world, and how often it did. */
export type Happening = readonly [name: string, count: number]

/** Worlds of one kind after which each name of `sometimes` must have been met. */
export const sometimesSeedsMin = 250

/** What must happen in each kind: ways to write, and tokens that take the place of others. */
const ofAll: readonly string[] = [
  'written as editing session',
  'written as election night',
  'written as live timing',
  'written as live timing from large',
  'audience changed by delta',
  'audience changed by snapshot',
  'document forbidden by a token',
  'token ended',
  'token renewed',
]

/** What must happen in some world of a campaign, for each kind. */
export const sometimes: Readonly<Record<WorldName, readonly string[]>> = {
  random: [
    ...ofAll,
    'caught-up tail',
    'caught-up snapshot',
    'caught-up snapshot-elsewhere',
    'frames damaged',
    'join refused FANFOLD_NO_DOCUMENT',
    'join refused FANFOLD_NO_PARENT',
    'lag caught up by delta',
    'lag caught up by snapshot',
    'links congested',
    'paced delta over several',
    'pieces asked for again',
    'pieces lost',
    'proxy ended',
    'proxy drained',
    'resync hash',
    'rule-failed',
    'state-checked equal',
    'state-checked none',
    'variant-missing',
    'variant-refused FANFOLD_NO_VARIANT',
    'view-checked equal',
    'view-checked none',
    'viewers refused',
    'want-parents 2',
    'warm-read found',
  ],
  'catch-up': [
    ...ofAll,
    'caught-up tail',
    'caught-up snapshot',
    'caught-up snapshot-elsewhere',
    'caught-up replay',
    'pieces asked for again',
    'join refused FANFOLD_NO_TAIL',
    'resume at one before the end of a ring, by tail',
    'resume at the end of a ring, by tail',
    'resume at one after the end of a ring, by snapshot',
    'lag caught up by delta',
    'lag caught up by snapshot',
    'paced delta over several',
    'state-checked equal',
    'view-checked equal',
    'views in pieces',
    'warm-read found',
    'proxy ended',
    'proxy drained',
    'signal hand-over',
    'signal head',
    'signal presence',
    'want-parents 2',
    'worker-encoded',
    'worker-viewed',
    'worker-failed',
    'frames damaged',
    'pieces lost',
  ],
  faults: [
    ...ofAll,
    'authority drained',
    'authority ended',
    'authority ended after log-append',
    'authority ended after write-answered',
    'authority ended before log-append',
    'authority ended before log-appended',
    'authority ended before write-answered',
    'connection severed',
    'delta of several records over a change of rules',
    'disk unreadable log-open-refused',
    'document deleted',
    'edge drained',
    'edge ended',
    'edge ended amid its work',
    'fault black-hole',
    'fault crash',
    'fault crash-at',
    'fault cut',
    'fault delay',
    'fault disk-broken',
    'fault disk-full',
    'fault disk-slow',
    'fault disk-unreadable',
    'fault drain',
    'fault log-away',
    'fault no-files',
    'fault pause',
    'fault refuse',
    'fault sever',
    'fault silence',
    'fault slow',
    'fault slow-link',
    'fault wall-clock',
    'join from an older epoch',
    'leftover of an old link',
    'log away log-append-waits',
    'log away log-open-refused',
    'no room log-append-refused',
    'no room log-open-refused',
    'node-connected',
    'node-lost',
    'node-not-reached',
    'pause longer than links wait',
    'proxy drained',
    'proxy ended',
    'proxy ended amid its work',
    'record of an older epoch under way',
    'resync gap',
    'resync silence',
    'routes changed',
    'silence noticed',
    'snapshot behind the end of the log',
    'un-acknowledged records kept',
    'un-acknowledged records lost',
    'unknown write is in',
    'unknown write is not in',
    'viewer had no room',
    'viewer left as deleted',
    'viewer refused as deleted',
    'viewer resumed by delta',
    'viewer resumed by snapshot',
    'want-nodes 2',
    'write given up',
    'write refused as deleted',
    'write sent again, committed',
    'write sent again, was in the log',
    'write taken that had found no room',
  ],
  fleet: [
    ...ofAll,
    'append of a process that has ended FANFOLD_FENCED',
    'append of a process that has ended done',
    'authority drained',
    'authority ended',
    'authority ended amid its work',
    'coordinator-found',
    'cut off from a node',
    'cut off from nobody',
    'coordinator-lost',
    'document taken over',
    'document-refused FANFOLD_FENCED',
    'fault coordinator-away',
    'fault coordinator-emptied',
    'fault cut',
    'fault drain',
    'fault log-away',
    'fault logs-fallen-back',
    'fault pause',
    'join from an older epoch',
    'join refused FANFOLD_COORDINATOR_UNREACHABLE',
    'join refused FANFOLD_FENCED',
    'join refused FANFOLD_MOVED',
    'join refused FANFOLD_NO_PARENT',
    'member-changed',
    'member-left refused',
    'member-left silent',
    'member-left withdrawn',
    'member-restarted',
    'node is not sure',
    'node-not-reached',
    'proxy drained',
    'proxy ended',
    'view-frozen',
    'view-thawed',
    'want-nodes 3',
    'write refused for now FANFOLD_COORDINATOR_UNREACHABLE',
    'write refused for now FANFOLD_FENCED',
    'write refused for now FANFOLD_MOVED',
    'write sent again, was in the log',
  ],
  crowd: [
    'authority ended',
    'crowd counted in another epoch',
    'document deleted',
    'document taken over',
    'edge ended',
    'fault cut',
    'fault pause',
    'presence told',
    'proxy drained',
    'proxy ended',
    'saying counted',
    'saying died',
    'saying lost',
    'saying rejected',
    'session begun',
    'session sealed',
    'sessions counted together',
    'told counted',
    'told unknown',
  ],
}

/** Everything that happened in a world, in alphabetical order. */
export function happeningsOf({
  tally,
  counts,
}: Pick<SimulationResult, 'tally' | 'counts'>): readonly Happening[] {
  const counted: readonly Happening[] = [
    ['records', counts.records],
    ['records that came by replay', counts.replayed],
    ['document taken over', counts.takeovers],
    ['links congested', counts.congestions],
    ['snapshots on links', counts.linkSnapshots],
    ['viewers behind', counts.lags],
    ['viewers refused', counts.refusals],
    ['snapshots of views', counts.viewerSnapshots],
    ['snapshots of views already seen', counts.viewerRepeats],
    ['deltas of views', counts.viewerDeltas],
    ['views in pieces', counts.viewsInPieces],
    ['frames damaged', counts.damaged],
    ['pieces lost', counts.lost],
  ]
  return [...tally, ...counted]
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

/** A row of the table: in how many worlds it happened, and how often in all of them. */
export type CoverageRow = {
  readonly name: string
  readonly seeds: number
  readonly count: number
  /** Whether it must happen in some world. */
  readonly isExpected: boolean
}

/** What happened in worlds of one kind, and what must. */
export class Coverage {
  readonly #expected: ReadonlySet<string>
  readonly #seedsMin: number
  readonly #rows = new Map<string, { seeds: number; count: number }>()
  #seeds = 0

  /**
   * @param expected what must happen in some world
   * @param seedsMin worlds from which on it is missed
   */
  constructor(expected: readonly string[], seedsMin: number = sometimesSeedsMin) {
    this.#expected = new Set(expected)
    this.#seedsMin = seedsMin
  }

  /** Worlds that were counted. */
  get seeds(): number {
    return this.#seeds
  }

  /** Counts a world, in which each name happens once. */
  add(happenings: readonly Happening[]): void {
    this.#seeds++
    for (const [name, count] of happenings) {
      const row = this.#rows.get(name) ?? { seeds: 0, count: 0 }
      this.#rows.set(name, { seeds: row.seeds + 1, count: row.count + count })
    }
  }

  /** Everything that happened or must happen, in alphabetical order. */
  rows(): readonly CoverageRow[] {
    return [...new Set([...this.#expected, ...this.#rows.keys()])].sort().map(name => ({
      name,
      ...(this.#rows.get(name) ?? { seeds: 0, count: 0 }),
      isExpected: this.#expected.has(name),
    }))
  }

  /** Counts the worlds that another one has counted. */
  merge(seeds: number, rows: readonly Omit<CoverageRow, 'isExpected'>[]): void {
    this.#seeds += seeds
    for (const { name, seeds, count } of rows) {
      if (seeds === 0) continue
      const row = this.#rows.get(name) ?? { seeds: 0, count: 0 }
      this.#rows.set(name, { seeds: row.seeds + seeds, count: row.count + count })
    }
  }

  /** What must happen and has not; nothing while the worlds are too few to say so. */
  missing(): readonly string[] {
    if (this.#seeds < this.#seedsMin) return []
    return [...this.#expected].filter(name => !this.#rows.has(name))
  }

  /** Worlds from which on what must happen is missed. */
  get seedsMin(): number {
    return this.#seedsMin
  }
}
