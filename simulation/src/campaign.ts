/*
 * A campaign: worlds one after the other, several at a time, until there are enough of them or the
 * time is over. What is wrong in one stops none of the others.
 */
import { Coverage, type DrawnWorld, numberedSeed, type WorldName } from '@fanfold/simulator'
import type { Outcome, Task } from './run-world.ts'
import type { CampaignSettings } from './settings.ts'

/** Of so many worlds the first one runs twice. */
const twiceEvery = 50
/** Worlds with problems that are listed at the end; the others are counted. */
const failuresMax = 100

/** The worlds of a campaign in turn: those that once found something, then the numbered ones. */
export function* tasksOf(
  { worlds, seeds, from, nodes }: CampaignSettings,
  known: readonly DrawnWorld[],
): Generator<Task, void> {
  let index = 0
  const taskOf = (world: DrawnWorld): Task => ({ ...world, isTwice: index++ % twiceEvery === 0 })
  // With another tree it would be another world.
  const wanted = nodes === undefined ? known : []
  for (const world of wanted) if (worlds.includes(world.world)) yield taskOf(world)
  for (let count = 0; count < (seeds ?? Number.POSITIVE_INFINITY); count++) {
    const world = worlds[count % worlds.length]
    if (world === undefined) return
    const seed = numberedSeed(world, from + Math.floor(count / worlds.length))
    yield taskOf({ world, seed, nodes })
  }
}

/** What came of the worlds of a campaign so far. */
export class CampaignResult {
  readonly coverage: ReadonlyMap<WorldName, Coverage>
  readonly failures: Outcome[] = []
  /** Worlds that had problems, with those that are not listed. */
  failed = 0
  /** Worlds that ran, and those of them that ran twice. */
  seeds = 0
  twice = 0
  /** Events of all worlds, second runs not counted. */
  events = 0
  virtualMs = 0

  constructor(worlds: readonly WorldName[]) {
    this.coverage = new Map(worlds.map(world => [world, new Coverage(world)]))
  }

  add(outcome: Outcome): void {
    const { task, events, virtualMs, happenings, problems } = outcome
    this.seeds++
    if (task.isTwice) this.twice++
    this.events += events
    this.virtualMs += virtualMs
    this.coverage.get(task.world)?.add(happenings)
    if (problems.length === 0) return
    this.failed++
    if (this.failures.length < failuresMax) this.failures.push(outcome)
  }

  /** What must happen in worlds of a kind, and happened in none of them. */
  missing(): readonly (readonly [world: WorldName, name: string])[] {
    return [...this.coverage].flatMap(([world, coverage]) =>
      coverage.missing().map(name => [world, name] as const),
    )
  }

  /** Whether every world was right, and enough happened in them. */
  get isRight(): boolean {
    return this.failed === 0 && this.missing().length === 0
  }
}

/** Who runs worlds, one at a time. */
export interface Runner {
  run(task: Task): Promise<Outcome>
}

/** Runs tasks, as many at a time as there are runners, until there are none or `mayGoOn` says no. */
export async function runTasks(
  tasks: Iterator<Task, void>,
  runners: readonly Runner[],
  mayGoOn: () => boolean,
  take: (outcome: Outcome) => void,
): Promise<void> {
  const work = async (runner: Runner): Promise<void> => {
    while (mayGoOn()) {
      const next = tasks.next()
      if (next.done === true) return
      take(await runner.run(next.value))
    }
  }
  await Promise.all(runners.map(work))
}
