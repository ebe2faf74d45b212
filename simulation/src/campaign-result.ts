/*
 * What came of the worlds of a campaign. It holds figures and the first failures and no worlds, so that
 * it is as small after a million seeds as after a hundred; the figures of several campaigns add up.
 */
import { Coverage, crossingName, crossingsSeedsMin } from '@fanfold/simulator'
import type { MachineFacts } from './machine-facts.ts'
import type { Outcome } from './run-world.ts'
import { type SeedRange, SeedRanges } from './seed-ranges.ts'
import { kindNames, kindOf, type NamedWorld } from './world-kinds.ts'

/** Worlds with problems that are listed at the end; the others are counted. */
const failuresMax = 100
/** Problems of one of them that are kept, and characters of each. */
const problemsMax = 5
const problemCharactersMax = 2_000

/** A world that was wrong. */
export type Failure = {
  readonly world: NamedWorld
  readonly regression: string | undefined
  /** All options that were run, when it came so far. */
  readonly options: unknown
  readonly problems: readonly string[]
  readonly problemCount: number
}

type Row = { readonly name: string; readonly seeds: number; readonly count: number }

/** Figures of worlds of one kind and size, as files have them. */
export type WorldFigures = {
  readonly world: string
  /** Proxies and edges of each; as its seed says when undefined. */
  readonly nodes?: number | undefined
  /** Numbers of the seeds that were run. */
  readonly ranges: readonly SeedRange[]
  readonly seeds: number
  readonly events: number
  /** Events of the world that had fewest. */
  readonly eventsMin: number
  readonly virtualMs: number
  readonly happenings: readonly Row[]
  readonly crossings: readonly Row[]
}

/** Figures of a campaign, as files have them. */
export type CampaignFigures = {
  readonly machines: readonly MachineFacts[]
  /** Time that it took, added up where there were several. */
  readonly seconds: number
  readonly seeds: number
  /** Those of them that ran twice. */
  readonly twice: number
  /** Worlds that once found something, not among the seeds. */
  readonly regressions: number
  readonly events: number
  readonly eventsPerSecond: number
  readonly virtualMs: number
  readonly failed: number
  readonly failures: readonly Failure[]
  readonly worlds: readonly WorldFigures[]
}

/** The worlds of one kind and size. */
export class KindResult {
  readonly world: string
  readonly nodes: number | undefined
  readonly happenings: Coverage
  readonly crossings: Coverage
  readonly ranges: SeedRanges = new SeedRanges()
  events = 0
  eventsMin: number = Number.POSITIVE_INFINITY
  virtualMs = 0

  constructor(world: string, nodes: number | undefined) {
    this.world = world
    this.nodes = nodes
    const { sometimes, crossings } = kindOf(world)
    this.happenings = new Coverage(sometimes)
    this.crossings = new Coverage(crossings, crossingsSeedsMin)
  }

  get seeds(): number {
    return this.happenings.seeds
  }

  add({ task, events, virtualMs, happenings, crossings }: Outcome): void {
    if (task.number !== undefined) this.ranges.add(task.number)
    this.happenings.add(happenings)
    this.crossings.add(
      crossings.map(([effect, fault, count]) => [crossingName(effect, fault), count]),
    )
    this.events += events
    this.eventsMin = Math.min(this.eventsMin, events)
    this.virtualMs += virtualMs
  }

  merge(figures: WorldFigures): void {
    for (const range of figures.ranges) this.ranges.merge(range)
    this.happenings.merge(figures.seeds, figures.happenings)
    this.crossings.merge(figures.seeds, figures.crossings)
    this.events += figures.events
    this.eventsMin = Math.min(this.eventsMin, figures.eventsMin)
    this.virtualMs += figures.virtualMs
  }

  figures(): WorldFigures {
    const { world, nodes, seeds, events, eventsMin, virtualMs } = this
    const rowsOf = (coverage: Coverage): readonly Row[] =>
      coverage.rows().map(({ name, seeds, count }) => ({ name, seeds, count }))
    return {
      world,
      nodes,
      ranges: this.ranges.list,
      seeds,
      events,
      eventsMin,
      virtualMs,
      happenings: rowsOf(this.happenings),
      crossings: rowsOf(this.crossings),
    }
  }
}

/** What came of the worlds of one campaign or of several. */
export class CampaignResult {
  readonly #kinds = new Map<string, KindResult>()
  readonly #machines = new Map<string, MachineFacts>()
  readonly failures: Failure[] = []
  /** Worlds that had problems, with those that are not listed. */
  failed = 0
  twice = 0
  regressions = 0

  /** By kind and size, in the order of the kinds. */
  get kinds(): readonly KindResult[] {
    const place = ({ world }: KindResult): number => kindNames.indexOf(world)
    return [...this.#kinds.values()].sort(
      (a, b) => place(a) - place(b) || (a.nodes ?? 0) - (b.nodes ?? 0),
    )
  }

  /** Numbered worlds that ran. */
  get seeds(): number {
    return this.#sum(kind => kind.seeds)
  }

  /** Events of all of them, second runs not counted. */
  get events(): number {
    return this.#sum(kind => kind.events)
  }

  get virtualMs(): number {
    return this.#sum(kind => kind.virtualMs)
  }

  add(outcome: Outcome): void {
    const { task, problems } = outcome
    if (task.isTwice) this.twice++
    if (task.regression !== undefined) this.regressions++
    else this.#kind(task.world, task.nodes).add(outcome)
    if (problems.length === 0) return
    this.failed++
    if (this.failures.length < failuresMax) this.failures.push(failureOf(outcome))
  }

  /**
   * Adds the figures of a campaign.
   *
   * @throws RangeError for seeds that are counted already
   */
  merge(figures: CampaignFigures): void {
    for (const one of figures.worlds) this.#kind(one.world, one.nodes).merge(one)
    for (const machine of figures.machines) this.#machines.set(JSON.stringify(machine), machine)
    this.twice += figures.twice
    this.regressions += figures.regressions
    this.failed += figures.failed
    this.failures.push(...figures.failures.slice(0, failuresMax - this.failures.length))
  }

  /** All of it as data. */
  figures(seconds: number, here?: MachineFacts): CampaignFigures {
    const { seeds, twice, regressions, events, virtualMs, failed, failures } = this
    return {
      machines: here === undefined ? [...this.#machines.values()] : [here],
      seconds,
      seeds,
      twice,
      regressions,
      events,
      eventsPerSecond: Math.round(events / Math.max(0.001, seconds)),
      virtualMs,
      failed,
      failures,
      worlds: this.kinds.map(kind => kind.figures()),
    }
  }

  /** What must happen in worlds of a kind, and happened in none of them. */
  missing(): readonly (readonly [kind: KindResult, name: string])[] {
    return this.kinds.flatMap(kind =>
      [kind.happenings, kind.crossings].flatMap(coverage =>
        coverage.missing().map(name => [kind, name] as const),
      ),
    )
  }

  /** Whether every world was right, and enough happened in them. */
  get isRight(): boolean {
    return this.failed === 0 && this.missing().length === 0
  }

  #kind(world: string, nodes: number | undefined): KindResult {
    const key = `${world} ${nodes ?? ''}`
    let kind = this.#kinds.get(key)
    if (kind === undefined) {
      kind = new KindResult(world, nodes)
      this.#kinds.set(key, kind)
    }
    return kind
  }

  #sum(read: (kind: KindResult) => number): number {
    let sum = 0
    for (const kind of this.#kinds.values()) sum += read(kind)
    return sum
  }
}

/** A world that was wrong, without what a list of many has no room for. */
export function failureOf({ task, problems, options }: Outcome): Failure {
  const { world, seed, nodes, regression } = task
  return {
    world: { world, seed, nodes, options: task.options },
    regression,
    options,
    problems: problems.slice(0, problemsMax).map(problem => problem.slice(0, problemCharactersMax)),
    problemCount: problems.length,
  }
}
