import { sha256 } from '@fanfold/conformance'
import { encodeSnapshot, type WarmDocument } from '@fanfold/document'
import type { LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import type { ProxyEffect } from '../src/proxy-effect.ts'
import {
  channel,
  child,
  doc,
  effectsOf,
  framesOf,
  link,
  log,
  parent,
  positionAt,
  Rig,
  records,
  seqsOf,
  snapshot,
  snapshotAt,
  welcome,
} from './build-proxy.ts'

const second = link(2)

/** What was kept: a snapshot at the tenth record, and the five after it. */
const kept: WarmDocument = { snapshot: snapshotAt(10), records: log.slice(10, 15), ceiling: 239 }

const warmOf = (effects: readonly ProxyEffect[]): string[] =>
  effectsOf(effects, 'warm-read', 'warm-keep', 'warm-drop').map(({ kind }) => kind)

const seqsKept = (keep: Extract<ProxyEffect, { kind: 'warm-keep' }> | undefined): number[] =>
  keep?.document.records.map(({ seq }) => seq) ?? []

/** A proxy with a warm store, a parent and a child that asks for the document. */
function asked(): Rig {
  const rig = new Rig({}, { isWarm: true })
  rig.open(parent)
  rig.open(child)
  rig.join()
  return rig
}

/** The same, with what was kept, and its parent's welcome. */
function resumed(): Rig {
  const rig = asked()
  rig.take({ kind: 'warm-read', doc, document: kept })
  rig.frame(parent, welcome('tail', 17), records(16, 17))
  return rig
}

t.test('a document is looked for in the warm store before it is joined, once', async t => {
  const rig = asked()
  rig.open(second)
  rig.join(second)
  const effects = rig.effects()
  t.same(warmOf(effects), ['warm-read'])
  t.same(framesOf(effects, parent), [])
})

t.test('what was kept is resumed from: the parent is asked for the tail alone', async t => {
  const rig = asked()
  rig.effects()
  rig.take({ kind: 'warm-read', doc, document: kept })
  t.match(rig.sent(parent), [{ kind: 'join', have: positionAt(15) }])
  rig.frame(parent, welcome('tail', 17), records(16, 17))
  const frames = rig.sent(child)
  t.match(frames[0], { kind: 'welcome', mode: 'snapshot' })
  t.same(seqsOf(frames), [16, 17])
})

t.test('what was kept is served only when the parent has said under which ceiling', async t => {
  const rig = asked()
  rig.take({ kind: 'warm-read', doc, document: kept })
  t.same(rig.sent(child), [])
  rig.open(second)
  rig.join(second, positionAt(15))
  t.same(rig.sent(second), [])
  rig.frame(parent, welcome('tail', 15))
  t.match(rig.sent(second)[0], { kind: 'welcome', mode: 'tail' })
})

t.test('what was kept under a higher ceiling than now is dropped, and fetched anew', async t => {
  const rig = asked()
  rig.take({ kind: 'warm-read', doc, document: kept })
  rig.effects()
  rig.frame(parent, welcome('tail', 15, 3))
  const effects = rig.effects()
  t.same(warmOf(effects), ['warm-drop'])
  t.match(framesOf(effects, parent), [{ kind: 'join', have: undefined }])
  const before = framesOf(effects, child).filter(({ kind }) => kind !== 'status')
  t.same(before, [], 'nothing of it is served')
  rig.frame(parent, welcome('snapshot', 17, 3), ...snapshot(17))
  t.match(rig.sent(child)[0], { kind: 'welcome', ceiling: 3 })
})

t.test('what does not verify is as good as nothing', async t => {
  const turned = kept.snapshot.pieces.map(piece => piece.slice())
  turned[0]?.fill(0)
  for (const document of [
    undefined,
    { ...kept, snapshot: { ...kept.snapshot, pieces: turned } },
    { ...kept, snapshot: { ...kept.snapshot, pieces: [] } },
    { ...kept, records: log.slice(11, 15) },
  ]) {
    const rig = asked()
    rig.effects()
    rig.take({ kind: 'warm-read', doc, document })
    t.match(rig.sent(parent), [{ kind: 'join', have: undefined }])
    rig.frame(parent, welcome('snapshot', 17), ...snapshot(17))
    t.equal(rig.sent(child)[0]?.kind, 'welcome')
  }
})

t.test('a large one is verified turn by turn, and followed when all of it is good', async t => {
  const rows = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, row) => [`r${row}`, 'x'.repeat(990)]),
  )
  const at = positionAt(10)
  const made = encodeSnapshot({ at, state: { rows }, definition: undefined, sha256 })
  const large = { ...kept, snapshot: made }
  const turned = { ...made, pieces: made.pieces.with(-1, new Uint8Array(1)) }
  for (const [document, have] of [
    [large, positionAt(15)],
    [{ ...large, snapshot: turned }, undefined],
  ] as const) {
    const rig = asked()
    rig.effects()
    rig.take({ kind: 'warm-read', doc, document })
    t.same(rig.sent(parent), [], 'nobody is asked yet')
    t.equal(rig.proxy.documentCount, 0)
    rig.pass(1)
    t.match(rig.sent(parent), [{ kind: 'join', have }])
  }
})

t.test('a store that does not answer is waited for a second', async t => {
  const rig = asked()
  rig.pass(999)
  t.same(rig.sent(parent), [])
  rig.pass(1)
  t.match(rig.sent(parent), [{ kind: 'join', have: undefined }])
  rig.take({ kind: 'warm-read', doc, document: kept })
  t.same(rig.effects(), [], 'an answer that is late is nobody’s')
})

t.test('when nobody waits any more, the document is not followed', async t => {
  const rig = asked()
  rig.frame(child, { kind: 'leave', doc })
  rig.take({ kind: 'warm-read', doc, document: kept })
  t.equal(rig.proxy.documentCount, 0)
  t.equal(rig.proxy.wakeAt(), undefined)
})

t.test('without a parent a child is refused, what was kept or not', async t => {
  const rig = new Rig({}, { isWarm: true })
  rig.open(child)
  rig.join()
  rig.take({ kind: 'warm-read', doc, document: kept })
  t.match(rig.sent(child), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT' }])
})

t.test('a document that changes is kept every ten seconds, one write at a time', async t => {
  const rig = resumed()
  rig.effects()
  rig.pass(9_999)
  t.same(warmOf(rig.effects()), [])
  rig.pass(1)
  const [keep] = effectsOf(rig.effects(), 'warm-keep')
  t.match(keep?.document, { snapshot: { manifest: { at: { seq: 15 } } }, ceiling: 239 })
  t.same(seqsKept(keep), [16, 17])
  rig.frame(parent, records(18, 18))
  rig.pass(60_000)
  t.same(warmOf(rig.effects()), [], 'the one before is under way')
  rig.take({ kind: 'warm-kept', doc, isKept: true })
  rig.pass(10_000)
  const [next] = effectsOf(rig.effects(), 'warm-keep')
  t.equal(seqsKept(next).at(-1), 18)
})

t.test('one that does not change is kept once', async t => {
  const rig = resumed()
  rig.pass(10_000)
  rig.take({ kind: 'warm-kept', doc, isKept: true })
  rig.effects()
  rig.pass(60_000)
  t.same(warmOf(rig.effects()), [])
})

t.test('when the node ends, what has changed is kept at once', async t => {
  const rig = resumed()
  rig.effects()
  rig.take({ kind: 'closing' })
  t.same(warmOf(rig.effects()), ['warm-keep'])
  rig.take({ kind: 'closing' })
  t.same(warmOf(rig.effects()), [])
})

t.test('what was kept brings the next proxy to where this one was', async t => {
  const rig = resumed()
  rig.frame(parent, records(18, 20))
  rig.effects()
  rig.take({ kind: 'closing' })
  const [keep] = effectsOf(rig.effects(), 'warm-keep')
  const next = asked()
  next.effects()
  next.take({ kind: 'warm-read', doc, document: keep?.document })
  t.match(next.sent(parent), [{ kind: 'join', have: positionAt(20) }])
})

t.test('a document that is let go is kept first, one that is gone is dropped', async t => {
  const unused = resumed()
  unused.frame(child, { kind: 'leave', doc })
  unused.effects()
  unused.pass(500)
  t.same(warmOf(unused.effects()), ['warm-keep'])
  t.equal(unused.proxy.documentCount, 0)
  const ended = resumed()
  ended.effects()
  ended.frame(parent, { kind: 'ended', channel, code: 'FANFOLD_DELETED', message: 'gone' })
  t.same(warmOf(ended.effects()), ['warm-drop'])
  const fallen = resumed()
  fallen.effects()
  fallen.frame(parent, welcome('snapshot', 17, 0))
  t.same(warmOf(fallen.effects()), ['warm-drop'])
  fallen.take({ kind: 'closing' })
  t.same(warmOf(fallen.effects()), [], 'nor is it kept until there is something else')
})

t.test('a snapshot of a document that was deleted is not kept', async t => {
  const rig = resumed()
  rig.effects()
  const gone: LinkFrame = {
    kind: 'snapshot-begin',
    channel,
    manifest: { at: positionAt(20), pieces: [] },
  }
  rig.frame(parent, gone)
  t.same(warmOf(rig.effects()), ['warm-drop'])
})

t.test('a proxy without a warm store neither looks nor keeps', async t => {
  const rig = new Rig()
  rig.open(parent)
  rig.open(child)
  rig.join()
  rig.frame(parent, welcome('snapshot', 10), ...snapshot(10), records(11, 12))
  rig.pass(60_000)
  rig.take({ kind: 'closing' })
  t.same(warmOf(rig.effects()), [])
})
