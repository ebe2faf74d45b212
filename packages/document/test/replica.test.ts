import { createHash } from 'node:crypto'
import type { LogRecord } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { canonicalJson, type JsonObject, type JsonValue } from '../src/json.ts'
import type { PatchOperation } from '../src/patch.ts'
import { Replica } from '../src/replica.ts'
import { encodeSnapshot } from '../src/snapshot.ts'
import { LogBuilder, positionOf, sha256 } from './log-builder.ts'

/** A replica that has taken these records one by one. */
function replay(records: readonly LogRecord[]): Replica {
  const replica = new Replica(sha256)
  for (const record of records) replica.append(record)
  return replica
}

/** A log that creates `state` and counts `/n` up so many times. */
function countingLog(deltas: number, state: JsonObject = { n: 0 }): LogBuilder {
  const log = new LogBuilder()
  log.add('create', state)
  for (let n = 1; n <= deltas; n++) log.add('delta', [{ op: 'replace', path: '/n', value: n }])
  return log
}

/** State and position as one hash. */
function digestOf(replica: Replica): string {
  const { epoch, seq, hash } = replica.position
  const state = replica.state()
  const text = state === undefined ? 'none' : canonicalJson(state)
  return createHash('sha256')
    .update(`${epoch}:${seq}:${Buffer.from(hash).toString('hex')}:${replica.isDeleted}:${text}`)
    .digest('hex')
}

const key = fc.constantFrom('a', 'b', 'c/d', '~', 'é')
const value = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>
type Step =
  | { readonly kind: 'set'; readonly key: string; readonly value: JsonValue }
  | { readonly kind: 'push'; readonly value: JsonValue }
  | { readonly kind: 'drop'; readonly key: string }
  | { readonly kind: 'copy' | 'move'; readonly from: string; readonly to: string }
  | { readonly kind: 'recreate'; readonly value: JsonValue }
  | { readonly kind: 'claim' | 'empty' | 'definition' }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, value }),
  fc.record({ kind: fc.constant('push' as const), value }),
  fc.record({ kind: fc.constant('drop' as const), key }),
  fc.record({ kind: fc.constantFrom('copy' as const, 'move' as const), from: key, to: key }),
  fc.record({ kind: fc.constant('recreate' as const), value }),
  fc.constantFrom<Step>({ kind: 'claim' }, { kind: 'empty' }, { kind: 'definition' }),
)

/** A log from random steps; steps that do not fit the state become empty deltas. */
function logOf(steps: readonly Step[]): LogRecord[] {
  const log = new LogBuilder()
  log.add('create', { map: {}, list: [] })
  let keys = new Map<string, JsonValue>()
  const path = (key: string): string => `/map/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
  for (const step of steps) {
    const patch: PatchOperation[] = []
    switch (step.kind) {
      case 'set':
        patch.push({ op: 'add', path: path(step.key), value: step.value })
        keys.set(step.key, step.value)
        break
      case 'push':
        patch.push({ op: 'add', path: '/list/-', value: step.value })
        break
      case 'drop':
        if (keys.delete(step.key)) patch.push({ op: 'remove', path: path(step.key) })
        break
      case 'copy':
      case 'move': {
        const value = keys.get(step.from)
        if (value === undefined || step.from === step.to) break
        patch.push({ op: 'add', path: path(step.to), value })
        keys.set(step.to, value)
        if (step.kind === 'copy') break
        patch.push({ op: 'remove', path: path(step.from) })
        keys.delete(step.from)
        break
      }
      case 'recreate':
        log.add('delete', {})
        log.add('create', { map: { a: step.value }, list: [] })
        keys = new Map([['a', step.value]])
        continue
      case 'claim':
        log.add('claim', { hidden: true })
        continue
      case 'definition':
        log.add('definition', { viewKey: '0'.repeat(32) })
        continue
      case 'empty':
    }
    log.add('delta', patch)
  }
  return log.records
}

await t.test(
  'a snapshot at any cut and the records after it are as good as all records',
  async t => {
    const property = fc.property(
      fc.array(step, { maxLength: 12 }),
      fc.boolean(),
      (steps, onTheWay) => {
        const records = logOf(steps)
        const expected = digestOf(replay(records))
        for (let cut = 1; cut <= records.length; cut++) {
          const snapshot = replay(records.slice(0, cut)).snapshot()
          if (snapshot === undefined) return false
          const late = new Replica(sha256)
          late.reset(snapshot)
          for (const record of records.slice(cut)) {
            late.append(record)
            if (onTheWay) late.settle(1)
          }
          if (late.isBroken || digestOf(late) !== expected) return false
        }
        return true
      },
    )
    t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
  },
)

await t.test('nothing is parsed until somebody asks', async t => {
  const log = new LogBuilder()
  log.add('create', { n: 0 })
  log.addParts('delta', [log.part(0, 'no JSON at all')])
  const replica = replay(log.records)
  t.notOk(replica.isBroken, 'not seen yet')
  t.equal(
    replica.pendingBytes,
    log.records[0] && log.records[1]
      ? log.records[0].bytes.length + log.records[1].bytes.length
      : 0,
  )
  t.equal(replica.state(), undefined)
  t.ok(replica.isBroken)
})

await t.test('waiting records are applied in slices, and count until they are', async t => {
  const { records } = countingLog(9)
  const replica = replay(records)
  const total = records.reduce((sum, record) => sum + record.bytes.length, 0)
  t.equal(replica.pendingBytes, total)
  replica.settle(4)
  const left = records.slice(4).reduce((sum, record) => sum + record.bytes.length, 0)
  t.equal(replica.pendingBytes, left)
  replica.settle(0)
  t.equal(replica.pendingBytes, left)
  t.same(replica.state(), { n: 9 })
  t.equal(replica.pendingBytes, 0)
  t.same(replica.position, positionOf(records.at(-1) as LogRecord))
})

await t.test('a snapshot is encoded once per seq, however often it is asked for', async t => {
  const { records } = countingLog(3)
  let hashes = 0
  const replica = new Replica((input, target, offset) => {
    hashes++
    sha256(input, target, offset)
  })
  for (const record of records) replica.append(record)
  const first = replica.snapshot()
  const after = hashes
  t.equal(replica.snapshot(), first)
  t.equal(replica.lastSnapshot, first)
  t.equal(hashes, after)
  const log = countingLog(4)
  replica.append(log.records.at(-1) as LogRecord)
  t.equal(replica.lastSnapshot, first, 'the older one, to go with the records after it')
  t.not(replica.snapshot(), first)
  t.equal(replica.snapshot()?.manifest.at.seq, 5)
})

await t.test('a snapshot that came is passed on as it came', async t => {
  const snapshot = replay(countingLog(3).records).snapshot()
  const replica = new Replica(sha256)
  if (snapshot !== undefined) replica.reset(snapshot)
  t.equal(replica.snapshot(), snapshot)
  t.same(replica.state(), { n: 3 })
})

await t.test('an empty replica has no state, no snapshot and is at the beginning', async t => {
  const replica = new Replica(sha256)
  t.equal(replica.state(), undefined)
  t.equal(replica.snapshot(), undefined)
  t.equal(replica.position.seq, 0)
  t.notOk(replica.isBroken)
  t.notOk(replica.isDeleted)
})

await t.test('a deleted document has no state, but a snapshot that says so', async t => {
  const log = countingLog(2)
  log.add('delete', {})
  const replica = replay(log.records)
  t.ok(replica.isDeleted)
  t.equal(replica.state(), undefined)
  t.notOk(replica.isBroken)
  const snapshot = replica.snapshot()
  t.equal(snapshot?.manifest.pieces.length, 0)
  const late = new Replica(sha256)
  if (snapshot !== undefined) late.reset(snapshot)
  t.ok(late.isDeleted)
  t.equal(late.state(), undefined)
  late.append(log.add('create', { n: 7 }))
  t.notOk(late.isDeleted, 'it may be created again')
  t.same(late.state(), { n: 7 })
})

const breaking: Record<string, (log: LogBuilder) => unknown> = {
  'a path that is not there': log => log.add('delta', [{ op: 'replace', path: '/x/y', value: 1 }]),
  'a test that fails': log => log.add('delta', [{ op: 'test', path: '/n', value: 99 }]),
  'a root that is no object': log => log.add('delta', [{ op: 'replace', path: '', value: [] }]),
  'a patch that is no array': log => log.add('delta', { op: 'remove', path: '/n' }),
  'a patch that is null': log => log.add('delta', null),
  'an operation that is none': log => log.add('delta', [{ op: 'increment', path: '/n' }]),
  'the prototype': log => log.add('delta', [{ op: 'add', path: '/__proto__/x', value: 1 }]),
  'no public part': log => log.addParts('delta', [log.part(1, '[]')]),
  'no JSON': log => log.addParts('delta', [log.part(0, '[')]),
  'a create of an array': log => log.add('create', []),
  'a create of null': log => log.add('create', null),
  'a create of a text': log => log.add('create', 'state'),
  'a delta of a deleted document': log => [log.add('delete', {}), log.add('delta', [])],
}
for (const [name, breakIt] of Object.entries(breaking)) {
  await t.test(`${name} breaks the replica, which then serves nothing`, async t => {
    const log = countingLog(2)
    const replica = replay(log.records)
    t.ok(replica.snapshot())
    breakIt(log)
    for (const record of log.records.slice(3)) replica.append(record)
    t.equal(replica.state(), undefined)
    t.ok(replica.isBroken)
    t.equal(replica.snapshot(), undefined)
    t.equal(replica.lastSnapshot, undefined)
    replica.append(log.add('delta', []))
    t.equal(replica.pendingBytes, 0, 'and holds nothing more')
    t.equal(Object.hasOwn(Object.prototype, 'x'), false)
  })
}

await t.test('a broken replica is whole again after a snapshot', async t => {
  const log = countingLog(2)
  log.add('delta', [{ op: 'remove', path: '/nothing' }])
  const replica = replay(log.records)
  t.equal(replica.state(), undefined)
  replica.reset(
    encodeSnapshot({ at: log.position, state: { n: 5 }, definition: undefined, sha256 }),
  )
  t.notOk(replica.isBroken)
  replica.append(log.add('delta', [{ op: 'replace', path: '/n', value: 6 }]))
  t.same(replica.state(), { n: 6 })
})

await t.test(
  'a snapshot whose pieces are damaged breaks the replica and is not passed on',
  async t => {
    const good = encodeSnapshot({
      at: countingLog(2).position,
      state: { n: 2 },
      definition: undefined,
      sha256,
    })
    const replica = new Replica(sha256)
    replica.reset({ manifest: good.manifest, pieces: [Buffer.from('[["/n",2]]')] })
    t.equal(replica.state(), undefined)
    t.ok(replica.isBroken)
    t.equal(replica.snapshot(), undefined)
  },
)

await t.test('a hundred thousand waiting records are applied in slices without delay', async t => {
  const log = new LogBuilder()
  const create = log.add('create', { n: 0 })
  const delta = log.add('delta', [])
  const replica = new Replica(sha256)
  replica.append(create)
  for (let count = 0; count < 100_000; count++) replica.append(delta)
  let slices = 0
  for (; replica.pendingBytes > 0; slices++) replica.settle(500)
  t.equal(slices, 201)
  t.same(replica.state(), { n: 0 })
})
