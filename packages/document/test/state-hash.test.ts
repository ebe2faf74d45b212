import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import type { JsonObject } from '../src/json.ts'
import { type RecordedDefinition, recordedDefinition } from '../src/recorded-definition.ts'
import { decodeSnapshot, encodeSnapshot, projectSnapshot } from '../src/snapshot.ts'
import { hashState } from '../src/state-hash.ts'

const sha256 = (input: Uint8Array, target: Uint8Array, offset: number): void =>
  target.set(createHash('sha256').update(input).digest(), offset)

const definition: RecordedDefinition = recordedDefinition({
  variants: [{ ceiling: 0, hash: 'a'.repeat(64) }],
  viewKey: '0'.repeat(32),
  labels: [
    { pattern: '/odds', label: 1 },
    { pattern: '/hands/*', label: 2 },
    { pattern: '/odds/inside', label: 3 },
  ],
})

const hashes = (state: JsonObject, by: RecordedDefinition | undefined = definition): string[] =>
  (hashState({ state, definition: by, sha256 }) ?? []).map(
    ({ tag, hash }) => `${tag} ${Buffer.from(hash).toString('hex')}`,
  )

const state: JsonObject = {
  score: 1,
  odds: { home: 2, inside: 3 },
  hands: { ada: ['x'] },
  laps: [],
}

t.test('there is a hash for the public part and for each label', async t => {
  t.same(
    hashes(state).map(text => text.slice(0, 2)),
    ['0 ', '1 ', '2 ', '3 '],
  )
  t.match(hashState({ state, definition: undefined, sha256 }), [{ tag: 0 }])
})

t.test('a value changes the hash of its own label and no other', async t => {
  const before = hashes(state)
  const changed = (next: JsonObject): number[] =>
    hashes(next).flatMap((text, index) => (text === before[index] ? [] : [index]))
  t.same(changed({ ...state, score: 2 }), [0])
  t.same(changed({ ...state, odds: { home: 4, inside: 3 } }), [1])
  t.same(changed({ ...state, odds: { home: 2, inside: 4 } }), [3])
  t.same(changed({ ...state, hands: { ada: ['y'] } }), [2])
  t.same(changed({ ...state, hands: { ada: ['x'], bob: [] } }), [2])
})

t.test('members come in any order', async t => {
  const turned = { laps: [], hands: { ada: ['x'] }, odds: { inside: 3, home: 2 }, score: 1 }
  t.same(hashes(turned), hashes(state))
})

t.test(
  'a definition that differs in what a label hears of it is another hash of that label',
  async t => {
    const labels = [...definition.labels, { pattern: '/notes', label: 2 }]
    const other = recordedDefinition({ ...definition, labels })
    const before = hashes(state)
    t.same(
      hashes(state, other).flatMap((text, index) => (text === before[index] ? [] : [index])),
      [2],
    )
  },
)

t.test('a state that does not hold to its labels has none', async t => {
  t.equal(hashState({ state: { hands: ['x'] }, definition, sha256 }), undefined)
})

t.test('below each ceiling a snapshot has the hashes of the labels up to it', async () => {
  const member = fc.constantFrom('score', 'odds', 'hands', 'laps', 'inside', 'é')
  const value = fc.oneof(fc.integer({ max: 9, min: 0 }), fc.string({ maxLength: 3 }))
  const inner = fc.dictionary(member, value, { maxKeys: 4 })
  const anyState = fc.dictionary(member, inner, { maxKeys: 4 })
  const at = { epoch: 1, seq: 1, hash: new Uint8Array(32) }
  fc.assert(
    fc.property(anyState, fc.constantFrom(0, 1, 2, 3, 239), (state, ceiling) => {
      const whole = encodeSnapshot({ at, state, definition, sha256 })
      const content = decodeSnapshot(projectSnapshot(whole, ceiling))
      const below = hashes(content.state ?? {}, content.definition)
      return (
        below.join() ===
        hashes(state)
          .filter(text => Number.parseInt(text, 10) <= ceiling)
          .join()
      )
    }),
  )
})
