/*
 * A document with labels as replicas hold it below every ceiling: from records, from snapshots, and
 * from snapshots that other replicas made of what they hold.
 */
import { encodeUtf8 } from '@fanfold/kernel'
import { type LogRecord, partTags, type RecordPart } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { Chain } from '../src/chain.ts'
import { canonicalJson, type JsonObject } from '../src/json.ts'
import { type LabelParts, Labels } from '../src/labels.ts'
import {
  encodeDefinitionParts,
  type LabelRule,
  type RecordedDefinition,
  recordedDefinition,
} from '../src/recorded-definition.ts'
import { Replica } from '../src/replica.ts'
import { decodeSnapshot, encodeSnapshot, projectSnapshot } from '../src/snapshot.ts'
import { LogBuilder, sha256 } from './log-builder.ts'
import {
  hasLabelInArray,
  object,
  patchOf,
  rules,
  strip,
  type Wish,
  wishes,
} from './random-labels.ts'

const viewKey = 'ab'.repeat(16)
const hashOf = (ceiling: number, salt: string): string => `${ceiling}${salt}`.padEnd(64, '0')

const definitionOf = (labels: readonly LabelRule[], salt = 'a'): RecordedDefinition =>
  recordedDefinition({
    variants: [0, ...Labels.compile(labels).used].map(ceiling => ({
      ceiling,
      hash: hashOf(ceiling, salt),
    })),
    viewKey,
    labels,
  })

/** What a log says, as an authority writes it, and what is in force after each record. */
class LabelledLog {
  readonly log = new LogBuilder()
  readonly after: {
    readonly state: JsonObject | undefined
    readonly rules: readonly LabelRule[]
  }[] = []
  #state: JsonObject | undefined
  #rules: readonly LabelRule[] = []

  define(rules: readonly LabelRule[], salt?: string): void {
    const before = Labels.compile(this.#rules)
    const split = Labels.compile(rules).relabel(this.#state ?? {}, before)
    if (!split.ok) return
    this.#rules = rules
    this.#add('definition', encodeDefinitionParts(definitionOf(rules, salt), split.parts))
  }

  create(state: JsonObject): void {
    const split = Labels.compile(this.#rules).splitState(state)
    if (!split.ok) throw new Error(split.message)
    this.#state = state
    const parts = jsonParts(split.parts)
    const [root] = split.parts.get(0) ?? []
    const bare = root?.op === 'add' ? root.value : undefined
    this.#add('create', [[0, encodeUtf8(JSON.stringify(bare))], ...parts.slice(1)])
  }

  change(wanted: readonly Wish[]): void {
    const { patch, states } = patchOf(this.#state ?? {}, wanted)
    const after = states.at(-1) as JsonObject
    if (states.some(state => hasLabelInArray(this.#rules, state))) return
    const split = Labels.compile(this.#rules).splitPatch(patch, after)
    if (!split.ok) return
    this.#state = after
    this.#add('delta', jsonParts(split.parts))
  }

  #add(kind: 'create' | 'delta' | 'definition', parts: [number, Uint8Array][]): void {
    const salted = parts.map(
      ([tag, payload]): RecordPart => ({ ...this.log.part(tag, ''), payload }),
    )
    this.log.addParts(kind, [...salted, this.log.part(partTags.authority, 'ada')])
    this.after.push({ state: this.#state, rules: this.#rules })
  }
}

const jsonParts = (parts: LabelParts): [number, Uint8Array][] =>
  [...parts].map(([tag, patch]) => [tag, encodeUtf8(JSON.stringify(patch))])

const chain = new Chain(sha256)
const ceilings = [0, 1, 2, 3, 239, 255]

/** True when a replica below the ceiling holds what it should of the last record it has. */
function isExact(replica: Replica, log: LabelledLog, ceiling: number): boolean {
  const { state, rules } = log.after[replica.position.seq - 1] ?? { state: undefined, rules: [] }
  const now = replica.state()
  if (state === undefined) return now === undefined && !replica.isBroken
  const known = definitionOf(rules, replica.definition?.variants[0]?.hash?.[1])
  return (
    now !== undefined &&
    canonicalJson(now) === canonicalJson(strip(rules, state, ceiling)) &&
    JSON.stringify(replica.definition?.labels) ===
      JSON.stringify(known.labels.filter(({ label }) => label <= ceiling)) &&
    replica.definition?.variant ===
      known.variants.findLast(variant => variant.ceiling <= ceiling)?.hash
  )
}

const isRules = (step: readonly (Wish | LabelRule)[]): step is LabelRule[] =>
  step.length > 0 && step.every(entry => 'pattern' in entry)

await t.test(
  'below every ceiling a replica and all it feeds hold exactly what they may',
  async t => {
    const step = fc.oneof(wishes, wishes, rules)
    const property = fc.property(
      rules,
      object,
      fc.array(step, { maxLength: 5 }),
      (first, state, steps) => {
        if (hasLabelInArray(first, state)) return true
        const log = new LabelledLog()
        log.define(first)
        log.create(state)
        for (const [index, step] of steps.entries()) {
          if (isRules(step)) log.define(step, String.fromCharCode(98 + index))
          else log.change(step)
        }
        return ceilings.every(ceiling => {
          const replica = new Replica(sha256)
          for (const record of log.log.records) {
            replica.append(chain.project(record, ceiling))
            if (!isExact(replica, log, ceiling)) return false
            const snapshot = replica.snapshot()
            if (snapshot === undefined) continue
            // Whoever gets the snapshot below this one, and makes one of it, holds what it may.
            for (const below of ceilings.filter(below => below <= ceiling)) {
              const child = new Replica(sha256)
              child.reset(projectSnapshot(snapshot, below))
              if (!isExact(child, log, below)) return false
            }
          }
          return true
        })
      },
    )
    t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
  },
)

/** Odds for some, notes for fewer. */
function small(): LabelledLog {
  const log = new LabelledLog()
  log.define([
    { pattern: '/odds', label: 1 },
    { pattern: '/notes', label: 2 },
  ])
  log.create({ score: 1, odds: { home: 2 }, notes: 'secret' })
  return log
}

t.test('a replica says what waits, parsed once, and what it has applied', async t => {
  const { records } = small().log
  const replica = new Replica(sha256)
  for (const record of records) replica.append(record)
  t.match(replica, { position: { seq: 2 }, appliedSeq: 0, definition: undefined })
  t.match(replica.peek(), { record: { seq: 1 }, change: { kind: 'definition' } })
  t.equal(replica.peek()?.change, replica.peek()?.change)
  replica.settle(1)
  t.match(replica, { appliedSeq: 1, definition: { viewKey, labels: [{}, {}] } })
  const next = replica.peek()
  t.match(next, { record: records[1], change: { kind: 'create' } })
  replica.settle(1)
  const [root] = next?.change.kind === 'create' ? next.change.patch : []
  t.equal(root?.op === 'add' && root.value, replica.state(), 'the change that was looked at')
  t.equal(replica.peek(), undefined)
  t.equal(replica.appliedSeq, 2)
})

t.test('looking at a record that is none breaks the replica', async t => {
  const log = new LogBuilder()
  log.add('create', { n: 0 })
  log.addParts('delta', [log.part(0, '{')])
  const replica = new Replica(sha256)
  for (const record of log.records) replica.append(record)
  replica.settle(1)
  t.equal(replica.peek(), undefined)
  t.ok(replica.isBroken)
})

t.test('a part whose label nobody has named breaks the replica', async t => {
  for (const kind of ['create', 'delta'] as const) {
    const log = new LogBuilder()
    if (kind === 'delta') log.add('create', {})
    log.addParts(kind, [log.part(0, kind === 'create' ? '{}' : '[]'), log.part(1, '[]')])
    const replica = new Replica(sha256)
    for (const record of log.records) replica.append(record)
    t.equal(replica.state(), undefined)
    t.ok(replica.isBroken)
  }
})

t.test('a state that does not hold to its labels makes no snapshot', async t => {
  const log = new LogBuilder()
  log.addParts('definition', [
    log.part(0, JSON.stringify({ viewKey })),
    log.part(1, '{"labels":["/rows/*"]}'),
  ])
  log.addParts('create', [log.part(0, '{"rows":[1]}')])
  const replica = new Replica(sha256)
  for (const record of log.records) replica.append(record)
  t.equal(replica.snapshot(), undefined)
  t.ok(replica.isBroken)
})

t.test('with a definition alone a document is neither there nor deleted', async t => {
  const replica = new Replica(sha256)
  replica.append(small().log.records[0] as LogRecord)
  t.equal(replica.state(), undefined)
  t.equal(replica.snapshot(), undefined)
  t.notOk(replica.isBroken)
  t.notOk(replica.isDeleted)
})

t.test('a snapshot has pieces label by label, each begins with the definition', async t => {
  const log = small()
  const replica = new Replica(sha256)
  for (const record of log.log.records) replica.append(record)
  const snapshot = replica.snapshot()
  const pieces = snapshot?.pieces.map(piece => JSON.parse(String(Buffer.from(piece))))
  t.same(
    snapshot?.manifest.pieces.map(({ tag }) => tag),
    [0, 1, 2],
  )
  t.same(pieces, [
    [
      ['definition', { variant: hashOf(0, 'a'), viewKey }],
      ['', { score: 1 }],
    ],
    [
      ['definition', { variant: hashOf(1, 'a'), labels: ['/odds'] }],
      ['/odds', { home: 2 }],
    ],
    [
      ['definition', { variant: hashOf(2, 'a'), labels: ['/notes'] }],
      ['/notes', 'secret'],
    ],
  ])
})

t.test('a large labelled value is opened, and the order of pieces is kept', async t => {
  const rows = Array.from({ length: 4_000 }, (_, index) => ({ row: `${index}`.padEnd(40, '.') }))
  const labels: LabelRule[] = [{ pattern: '/rows', label: 1 }]
  const state = { open: rows, rows }
  const at = { epoch: 1, seq: 2, hash: new Uint8Array(32) }
  const definition = definitionOf(labels)
  const snapshot = encodeSnapshot({ at, state, definition, sha256 })
  const tags = snapshot.manifest.pieces.map(({ tag }) => tag)
  t.same(tags, [...tags].sort())
  t.ok(tags.filter(tag => tag === 1).length > 2)
  t.same(decodeSnapshot(snapshot), { state, definition })
  t.same(decodeSnapshot(projectSnapshot(snapshot, 0)).state, { open: rows })
})

t.test('a snapshot of a deleted document says nothing of its definition', async t => {
  const at = { epoch: 1, seq: 2, hash: new Uint8Array(32) }
  const definition = definitionOf([{ pattern: '/a', label: 1 }])
  const snapshot = encodeSnapshot({ at, state: undefined, definition, sha256 })
  t.same(snapshot.pieces, [])
  t.same(decodeSnapshot(snapshot), { state: undefined, definition: undefined })
})

t.test('a definition in a snapshot that is none is refused', async t => {
  const at = { epoch: 1, seq: 2, hash: new Uint8Array(32) }
  const piece = encodeUtf8('[["definition",{"viewKey":7}],["",{}]]')
  const pieces = [{ tag: 0, bytes: piece.length, digest: new Uint8Array(32) }]
  t.throws(() => decodeSnapshot({ manifest: { at, pieces }, pieces: [piece] }), {
    code: 'FANFOLD_BAD_FRAME',
  })
})
