/*
 * The document of the `filter` benchmark in any size, and what happens to it. One half of it is for
 * everybody, the other is hands, each for the viewer it is named after.
 */
import { fileURLToPath } from 'node:url'
import { buildDefinition } from '@fanfold/build'

/** A definition of this directory, as the authority has it and as edges do. */
export async function readDefinition(name) {
  const path = fileURLToPath(new URL(`./definitions/${name}.ts`, import.meta.url))
  return (await buildDefinition(path)).definition
}

/** The definition without its rules and labels; `isOne` puts all viewers into one cohort. */
export const withoutRules = (definition, isOne) => ({
  ...definition,
  rules: [],
  labels: [],
  isOpen: true,
  observe: {
    ...definition.observe,
    audience: isOne ? () => ({}) : definition.observe.audience,
    clearance: () => 0,
  },
})

/** Bytes of an entry or a hand in the state. */
const rowBytes = 100

/** A market of about so many bytes, with hands for the first ten viewers, and so many lots. */
export function marketOf(bytes, lots = 0) {
  const count = Math.max(20, Math.round(bytes / rowBytes / 2))
  const rows = (name, row) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [name(index), row()]))
  const names = Array.from({ length: lots }, (_, index) => [`lot-${index}`, { bid: index }])
  return {
    phase: 'open',
    entries: rows(
      index => `entry-${index}`,
      () => ({ text: 'x'.repeat(78) }),
    ),
    odds: { home: 1 },
    hands: rows(
      index => (index < 10 ? `p-${index}` : `hand-${index}`),
      () => ({ cards: 'x'.repeat(77) }),
    ),
    lots: Object.fromEntries(names),
    margin: { home: 1 },
  }
}

const replace = (path, value) => [{ op: 'replace', path, value }]
const text = turn => `${turn}`.padStart(78, 'y')

/** Deltas by whom they are for: of a market with so many entries, the one at a turn, as [label, patch]. */
export const deltas = {
  'everybody sees': (turn, count) => [
    [0, replace(`/entries/entry-${(turn * 7_919) % count}/text`, text(turn))],
  ],
  'nobody sees': (turn, count) => [
    [0, replace(`/hands/hand-${10 + ((turn * 7_919) % (count - 10))}/cards`, text(turn))],
  ],
  'some see': (turn, count) => some[turn % some.length](turn, count),
}

const some = [
  deltas['everybody sees'],
  turn => [[0, replace('/odds/home', turn)]],
  turn => [[0, replace(`/hands/p-${turn % 10}/cards`, text(turn))]],
  turn => [[1, replace('/margin/home', turn)]],
  deltas['nobody sees'],
]

/** What the token of a viewer says: every second one pays, every fifth is staff. */
export const claimsOf = viewer => ({ isPaying: viewer % 2 === 0, isStaff: viewer % 5 === 0 })
