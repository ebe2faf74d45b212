/* Outcomes of worlds that nobody ran. */
import type { Outcome, Task } from '../src/run-world.ts'

/** The task of a numbered world, on which a test says what matters to it. */
export const buildTask = (overrides: Partial<Task> = {}): Task => ({
  world: 'random',
  seed: `random ${overrides.number ?? 0}`,
  nodes: undefined,
  isTwice: false,
  number: 0,
  ...overrides,
})

/** The outcome of a world that was right. */
export const buildOutcome = (overrides: Partial<Outcome> = {}): Outcome => ({
  task: buildTask(),
  events: 10,
  virtualMs: 1_000,
  problems: [],
  happenings: [],
  crossings: [],
  ...overrides,
})
