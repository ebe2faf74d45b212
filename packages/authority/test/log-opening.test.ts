import { sha256 } from '@fanfold/conformance'
import { encodeSnapshot, jsonBytes, type Snapshot } from '@fanfold/document'
import type { LogRecord } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import type { AuthorityEffect } from '../src/authority-effect.ts'
import { CommittedDocument } from '../src/committed-document.ts'
import { DocumentSnapshots } from '../src/document-snapshots.ts'
import { LogOpening } from '../src/log-opening.ts'
import { LogSnapshotWriting } from '../src/log-snapshot.ts'
import {
  answersOf,
  contextOf,
  doc,
  framesOf,
  link,
  opened,
  replicaOf,
  send,
  startMs,
} from './build-document.ts'
import { LargeRig } from './large-rig.ts'

/** A document whose log was read in, with a limit from which on it is read in slices. */
function readIn(
  records: readonly LogRecord[],
  options: { readonly snapshot?: Snapshot | undefined; readonly largeStateBytes: number },
): { committed: CommittedDocument; slices: number; effects: AuthorityEffect[] } {
  const { snapshot, largeStateBytes } = options
  const context = contextOf({ largeStateBytes })
  const committed = new CommittedDocument(doc, context.chain, context.limits, context.now)
  const snapshots = new DocumentSnapshots({ doc, context, committed })
  const opening = new LogOpening({ context, committed, shadow: snapshots.shadow })
  const effects: AuthorityEffect[] = []
  if (snapshot !== undefined) opening.receive({ kind: 'log-snapshot', doc, snapshot }, effects)
  const after = snapshot?.manifest.at.seq ?? 0
  for (let from = after; from < records.length; from += 5) {
    const next = records.slice(from, from + 5)
    opening.receive({ kind: 'log-records', doc, records: next }, effects)
  }
  opening.receive({ kind: 'log-opened', doc, epoch: 1 }, effects)
  let slices = 0
  for (; opening.epoch === undefined; slices++) opening.slice(effects)
  committed.opened()
  return { committed, slices, effects }
}

/** What the log would be given at this place. */
function snapshotAfter(records: readonly LogRecord[], seq: number): Snapshot {
  const options = { largeStateBytes: Number.POSITIVE_INFINITY }
  const { committed } = readIn(records.slice(0, seq), options)
  const { position: at, state, definition } = committed
  const writing = new LogSnapshotWriting(committed, sha256)
  writing.take(encodeSnapshot({ at, state, definition, sha256 }))
  for (;;) {
    const snapshot = writing.step()
    if (snapshot !== undefined) return snapshot
  }
}

const aWrite = fc.oneof(
  fc.record({ team: fc.string({ maxLength: 12 }) }).map(value => send('goal', value)),
  fc.record({ bytes: fc.integer({ min: 0, max: 90_000 }) }).map(value => send('text', value)),
  fc.record({ left: fc.integer({ min: 0, max: 5 }) }).map(value => send('drop', value)),
  fc.constant(send('see')),
  fc.constant(send('nothing')),
)

t.test('a log that is read in in slices makes what it makes at once', async t => {
  const writes = fc.array(aWrite, { minLength: 1, maxLength: 40 })
  const places = fc.double({ min: 0, max: 1, noNaN: true })
  const law = fc.property(writes, places, fc.boolean(), (actions, place, hasSnapshot) => {
    const rig = opened()
    for (const [index, action] of actions.entries()) {
      const id = index % 2 === 0 ? `id-${index}` : undefined
      rig.commit({ action, id, subject: `s${index % 3}` })
    }
    const { records } = rig
    const seq = Math.max(1, Math.floor(place * records.length))
    const snapshot = hasSnapshot ? snapshotAfter(records, seq) : undefined
    const once = readIn(records, { snapshot, largeStateBytes: Number.POSITIVE_INFINITY })
    for (const largeStateBytes of [0, 1_000, 50_000]) {
      const { committed } = readIn(records, { snapshot, largeStateBytes })
      if (JSON.stringify(committed.state) !== JSON.stringify(once.committed.state)) return false
      if (committed.stateBytes !== once.committed.stateBytes) return false
      if (committed.stateBytes !== jsonBytes(committed.state ?? {})) return false
      if (committed.position.seq !== records.length) return false
      if (committed.lastTimeMs !== once.committed.lastTimeMs) return false
      const ids = JSON.stringify(committed.window.capture())
      if (ids !== JSON.stringify(once.committed.window.capture())) return false
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(law, { numRuns: 60 }))
})

t.test('while it is read in, what comes from the log waits in its order', async t => {
  const rig = opened()
  for (let count = 0; count < 30; count++) rig.commit({ action: send('text', { bytes: 39_000 }) })
  const snapshot = snapshotAfter(rig.records, 20)
  const { slices, effects, committed } = readIn(rig.records, { snapshot, largeStateBytes: 100_000 })
  t.ok(slices > 4, `${slices} slices`)
  t.equal(effects[0]?.kind, 'worker-open')
  const fed = effects.flatMap(effect => (effect.kind === 'worker-feed' ? effect.records : []))
  t.same(
    fed.map(({ seq }) => seq),
    rig.records.slice(20).map(({ seq }) => seq),
    'the shadow is fed what follows the snapshot',
  )
  t.equal(committed.position.seq, rig.records.length)
})

t.test('a log without a snapshot opens a shadow when its state grows large', async t => {
  const rig = opened()
  for (let count = 0; count < 30; count++) rig.commit({ action: send('text', { bytes: 39_000 }) })
  const { effects } = readIn(rig.records, { largeStateBytes: 100_000 })
  const [open, ...feeds] = effects
  t.match(open, { kind: 'worker-open' })
  t.ok(open?.kind === 'worker-open' && open.snapshot.manifest.at.seq < 20)
  t.ok(feeds.length > 1 && feeds.every(({ kind }) => kind === 'worker-feed'))
})

t.test('many records that make a small state open none', async t => {
  const rig = opened()
  for (let count = 0; count < 100; count++) rig.commit({ action: send('text', { bytes: 10_000 }) })
  rig.commit({ action: send('drop', { left: 0 }) })
  t.same(readIn(rig.records, { largeStateBytes: 10_000_000 }).effects, [])
})

t.test('who comes while a large log is read in waits, and is answered when it is', async t => {
  const rig = new LargeRig({ limits: { snapshotEveryRecords: 5 } })
  for (let count = 0; count < 40; count++) rig.grow(39_000)
  rig.settle()
  const next = rig.restarted()
  next.join(link(1))
  const request = next.write()
  t.same(
    next.effects().filter(({ kind }) => kind !== 'log-open' && !kind.startsWith('worker')),
    [],
  )
  const turns = next.settle()
  t.ok(turns > 2, `${turns} turns`)
  const effects = next.effects()
  t.match(answersOf(effects), [{ request, answer: { kind: 'committed' } }])
  t.match(replicaOf(framesOf(effects, link(1))).state(), {
    texts: { length: 40 },
    goals: { home: 1 },
  })
})

t.test('a document whose large snapshot is no such thing is quarantined', async t => {
  const rig = new LargeRig({ limits: { snapshotEveryRecords: 5 } })
  for (let count = 0; count < 20; count++) rig.grow(39_000)
  rig.settle()
  const { snapshot } = rig.log
  if (snapshot === undefined) throw new Error('the log has a snapshot')
  const pieces = snapshot.pieces.map(() => new Uint8Array([0x7b]))
  rig.log.snapshot = { manifest: snapshot.manifest, pieces }
  const next = rig.restarted()
  const request = next.write()
  next.settle()
  t.match(answersOf(next.effects()), [{ request, answer: { code: 'FANFOLD_QUARANTINED' } }])
  t.equal(next.asked.at(-1)?.kind, 'worker-close')
})

t.test('a window of many ids is read in and written out in slices', async t => {
  const rig = opened()
  rig.commit()
  const { committed } = readIn(rig.records, { largeStateBytes: 1_000_000 })
  for (let seq = 1; seq <= 20_000; seq++) {
    committed.window.add('ada', `id-${seq}`.padEnd(60, '.'), { epoch: 1, seq, timeMs: startMs })
  }
  const writing = new LogSnapshotWriting(committed, sha256)
  const { position: at, state, definition } = committed
  writing.take(encodeSnapshot({ at, state, definition, sha256 }))
  let steps = 1
  let snapshot = writing.step()
  for (; snapshot === undefined; steps++) snapshot = writing.step()
  t.ok(steps >= 5, `${steps} steps`)
  const read = readIn(rig.records, { snapshot, largeStateBytes: 1_000_000 })
  t.ok(read.slices >= 3, `${read.slices} slices`)
  t.equal(read.committed.window.count, 20_000)
  t.notOk(
    read.effects.some(({ kind }) => kind === 'worker-open'),
    'the state itself is small',
  )
})
