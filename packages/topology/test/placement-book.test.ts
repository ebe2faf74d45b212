import t from 'tap'
import type {
  CoordinatorEffect,
  CoordinatorInput,
  KeptPlacement,
  PlacingId,
} from '../src/coordinator.ts'
import { Placement } from '../src/placement.ts'
import {
  type PlacementAnswered,
  PlacementBook,
  type PlacementRequestId,
} from '../src/placement-book.ts'
import { encodePlacement, type PlacementEntry } from '../src/placement-entry.ts'
import { entryOf, memberOf } from './arbitraries.ts'

type Effect = CoordinatorEffect | PlacementAnswered

/** One authority is there, `authority-a`. */
const alone = new Placement({ members: [memberOf()] })

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
  placement: Placement | undefined = alone,
): Effect[] => {
  const { version: _version, epoch: _epoch, ...wish } = entryOf(overrides)
  const effects: Effect[] = []
  const asked = { request: request as PlacementRequestId, wish, expected: undefined }
  book.place(asked, placement, effects)
  return effects
}

const refusalOf = (effects: readonly Effect[]): PlacementAnswered['refusal'] => {
  const [effect, ...more] = effects
  if (effect?.kind !== 'placement-answered' || more.length > 0) throw new Error('one answer')
  return effect.refusal
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
      {
        request: 2,
        entry: { version: 4 },
        refusal: {
          code: 'FANFOLD_COORDINATOR_UNREACHABLE',
          message: 'late: look at what is placed, and ask again',
        },
      },
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

await t.test('what others could not read is not kept', async t => {
  const flaws: [Partial<PlacementEntry>, RegExp][] = [
    [{ who: '' }, /who is 1 to 128 characters, got ""/],
    [{ who: 'x'.repeat(129) }, /who is 1 to 128/],
    [{ why: 'line\nand line' }, /why is at most 512/],
    [{ why: '\ud800' }, /why is at most 512/],
    [{ subject: 'no subject', node: undefined }, /subject is a tenant or a document key/],
    [{ atMs: -1 }, /atMs is an integer/],
  ]
  for (const [overrides, message] of flaws) {
    const book = new PlacementBook()
    const refusal = refusalOf(ask(book, 1, overrides))
    t.equal(refusal?.code, 'FANFOLD_INVALID_VALUE')
    t.match(refusal?.message, message)
    t.same([...book], [])
  }
  const longest = { who: '\u{1f600}'.repeat(128), why: '\u{1f600}'.repeat(512) }
  const [effect] = ask(new PlacementBook(), 1, longest)
  t.equal(effect?.kind, 'coordinator-place', 'what is as long as it may be is')
})

await t.test('a node that cannot serve the subject is not taken for it', async t => {
  const book = new PlacementBook()
  t.match(refusalOf(ask(book, 1, { node: 'authority-z' })), {
    code: 'FANFOLD_PLACED_NODE',
    message:
      'acme cannot be placed there: no node of the fleet that is alive is authority-z; these take it: authority-a',
  })
  const effects: Effect[] = []
  const { version: _version, epoch: _epoch, ...wish } = entryOf({ node: undefined })
  const asked = { request: 1 as PlacementRequestId, wish, expected: undefined }
  book.place(asked, new Placement({ members: [] }), effects)
  t.match(effects, [{ kind: 'coordinator-place' }], 'to release needs nobody')
})

await t.test('before it is known who is there nothing is placed', async t => {
  const book = new PlacementBook()
  const { version: _version, epoch: _epoch, ...wish } = entryOf()
  const effects: Effect[] = []
  book.place({ request: 1 as PlacementRequestId, wish, expected: undefined }, undefined, effects)
  const refusal = refusalOf(effects)
  t.equal(refusal?.code, 'FANFOLD_COORDINATOR_UNREACHABLE')
  t.match(refusal?.message, /not known yet.*ask again/)
})

await t.test('who was told as much has heard as much', async t => {
  const book = new PlacementBook()
  const other = (placementsHeard: number | undefined) => memberOf({ node: 'b', placementsHeard })
  const own = memberOf({ placementsHeard: 0 })
  const self = own.node
  book.read(reading(true, kept({ version: 3 }), kept({ subject: 'other', version: 2 })))
  t.equal(book.heard, 5)
  t.notOk(book.isBehind(own, self), 'it knows what it was told')
  t.ok(book.isBehind(other(4), self))
  t.notOk(book.isBehind(other(5), self))
  t.notOk(book.isBehind(other(undefined), self), 'of one that does not say nothing is known')
  ask(book, 1, { node: 'authority-a' })
  book.answered({ kind: 'placed', placing: 1 as PlacingId }, [])
  t.equal(book.heard, 5, 'what it has placed itself it is not told of yet')
  t.ok(book.isBehind(own, self))
  t.ok(book.isBehind(other(6), self), 'that may be another change')
  book.read(reading(false, kept({ version: 4 })))
  t.equal(book.heard, 6)
  t.notOk(book.isBehind(own, self))
  t.ok(book.isBehind(other(5), self))
  t.notOk(book.isBehind(other(6), self))
  book.read(reading(true))
  t.equal(book.heard, 6, 'what the coordinator loses was heard')
})

await t.test('what cannot be read is not heard, and a sum stays one that can be said', async t => {
  const book = new PlacementBook()
  book.read(reading(false, { subject: 'acme', version: 1, bytes: new Uint8Array() }))
  t.equal(book.heard, 0)
  for (const subject of ['one', 'other']) {
    book.read(reading(false, kept({ subject, version: Number.MAX_SAFE_INTEGER })))
  }
  t.equal(book.heard, Number.MAX_SAFE_INTEGER)
})
