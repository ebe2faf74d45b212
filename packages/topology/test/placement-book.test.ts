import t from 'tap'
import type {
  CoordinatorEffect,
  CoordinatorInput,
  KeptPlacement,
  PlacingId,
} from '../src/coordinator.ts'
import {
  type PlacementAnswered,
  PlacementBook,
  type PlacementRequestId,
} from '../src/placement-book.ts'
import { encodePlacement, type PlacementEntry } from '../src/placement-entry.ts'
import { entryOf } from './arbitraries.ts'

type Effect = CoordinatorEffect | PlacementAnswered

const kept = (overrides: Partial<PlacementEntry> = {}): KeptPlacement => {
  const entry = entryOf(overrides)
  return { subject: entry.subject, version: entry.version, bytes: encodePlacement(entry) }
}

const reading = (
  isWhole: boolean,
  ...placements: KeptPlacement[]
): Extract<CoordinatorInput, { kind: 'placements-read' }> => ({
  kind: 'placements-read',
  isWhole,
  placements,
})

const ask = (
  book: PlacementBook,
  request: number,
  overrides: Partial<PlacementEntry> = {},
): Effect[] => {
  const { version: _version, epoch: _epoch, ...wish } = entryOf(overrides)
  const effects: Effect[] = []
  book.place({ request: request as PlacementRequestId, wish, expected: undefined }, effects)
  return effects
}

const many = (count: number, version = 1): KeptPlacement[] =>
  Array.from({ length: count }, (_, index) => kept({ subject: `tenant-${index}`, version }))

await t.test('a later version takes the place of an earlier one, never the other way', async t => {
  const book = new PlacementBook()
  t.same(book.read(reading(true, kept({ version: 2 }))).changed, ['acme'])
  t.same(book.read(reading(false, kept({ version: 2 }))).changed, [])
  t.match(book.read(reading(false, kept({ version: 1, node: 'old' }))), { changed: [] })
  t.equal(book.get('acme')?.node, 'authority-a')
  t.same(book.read(reading(false, kept({ version: 3, node: 'b' }))).changed, ['acme'])
  t.same([...book], [entryOf({ version: 3, node: 'b' })])
})

await t.test('what a whole reading lacks was lost, and what a part lacks was not told', async t => {
  const book = new PlacementBook()
  book.read(reading(true, ...many(3, 5)))
  t.same(book.read(reading(false)).lost, [])
  t.notOk(book.hasLost)
  const [first, ...older] = [...many(1, 5), kept({ subject: 'tenant-1', version: 4 })]
  const { lost } = book.read(reading(true, first as KeptPlacement, ...older))
  t.same(lost, ['tenant-1', 'tenant-2'])
  const effects: Effect[] = []
  book.restore(effects)
  t.match(effects, [
    { kind: 'coordinator-place', expected: 4, placement: { subject: 'tenant-1', version: 5 } },
    { kind: 'coordinator-place', expected: 0, placement: { subject: 'tenant-2', version: 5 } },
  ])
  t.notOk(book.hasLost)
})

await t.test('what somebody else gave back meanwhile is not given back again', async t => {
  const book = new PlacementBook()
  book.read(reading(true, kept({ version: 5 })))
  book.read(reading(true))
  t.ok(book.hasLost)
  book.read(reading(false, kept({ version: 5 })))
  t.notOk(book.hasLost)
  book.read(reading(true))
  book.setReachable(false)
  t.notOk(book.hasLost, 'a reading follows when it is found')
})

await t.test('of much that was lost sixteen are given back at a time', async t => {
  const book = new PlacementBook()
  book.read(reading(true, ...many(40)))
  book.read(reading(true))
  const effects: Effect[] = []
  book.restore(effects)
  t.equal(effects.length, 16)
  for (let index = 0; index < 40; index++) {
    const placing = (index + 1) as PlacingId
    t.same(book.answered({ kind: 'placed', placing }, effects), [])
  }
  t.equal(effects.length, 40)
  t.ok(effects.every(effect => effect.kind === 'coordinator-place'))
})

await t.test('a change is known when it is kept, and not before', async t => {
  const book = new PlacementBook()
  const effects = ask(book, 7)
  t.match(effects, [{ kind: 'coordinator-place', placing: 1, expected: 0 }])
  t.equal(book.get('acme'), undefined)
  t.same(book.answered({ kind: 'placed', placing: 1 as PlacingId }, effects), ['acme'])
  t.match(effects[1], { kind: 'placement-answered', request: 7, refusal: undefined })
  t.equal(book.get('acme')?.version, 1)
  t.same(book.answered({ kind: 'placed', placing: 1 as PlacingId }, effects), [], 'it is over')
})

await t.test(
  'a change that is refused gives what is kept, one without an answer nothing',
  async t => {
    const book = new PlacementBook()
    const effects = [...ask(book, 1), ...ask(book, 2)]
    const refused: CoordinatorInput = {
      kind: 'place-refused',
      placing: 1 as PlacingId,
      code: 'FANFOLD_PLACEMENT_CONFLICT',
      message: 'no',
      kept: kept({ version: 4, node: 'b' }),
    }
    t.same(book.answered(refused, effects), ['acme'])
    const unanswered: CoordinatorInput = {
      kind: 'place-unanswered',
      placing: 2 as PlacingId,
      code: 'FANFOLD_COORDINATOR_UNREACHABLE',
      message: 'late',
    }
    t.same(book.answered(unanswered, effects), [])
    t.match(effects.slice(2), [
      { request: 1, entry: { node: 'b', version: 4 }, refusal: { message: 'no' } },
      { request: 2, entry: { version: 4 }, refusal: { code: 'FANFOLD_COORDINATOR_UNREACHABLE' } },
    ])
  },
)

await t.test('beyond its bound a change is refused', async t => {
  const book = new PlacementBook()
  for (let index = 0; index < 64; index++) {
    t.equal(ask(book, index, { subject: `tenant-${index}` })[0]?.kind, 'coordinator-place')
  }
  t.match(ask(book, 64), [{ refusal: { code: 'FANFOLD_OVERLOADED' } }])
  book.answered({ kind: 'placed', placing: 1 as PlacingId }, [])
  t.equal(ask(book, 65)[0]?.kind, 'coordinator-place')
})

await t.test('bytes that are no placement, or another’s, are told and not taken', async t => {
  const book = new PlacementBook()
  const other = { ...kept(), subject: 'other' }
  const { changed, unreadable } = book.read(
    reading(false, other, { subject: 'acme', version: 1, bytes: new Uint8Array() }),
  )
  t.same(changed, [])
  t.same(unreadable, [
    'other at version 1: it holds acme at version 1',
    'acme at version 1: a placement is JSON',
  ])
})
