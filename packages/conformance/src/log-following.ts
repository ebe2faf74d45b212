/*
 * What a log store does that follows logs which other stores write: the part of its suite for `log-follow`.
 */
import { parseDocumentKey } from '@fanfold/protocol'
import type { Test } from 'tap'
import { areSame, type BuiltLog, buildLog, snapshotOf } from './build-log.ts'
import { LogClient, write } from './log-client.ts'
import type { OpenLogStoreRig } from './log-store.ts'

const doc = parseDocumentKey('acme/match/final')
const otherDoc = parseDocumentKey('acme/match/semi')

/** Records after those of another stretch. */
const next = (log: BuiltLog, count: number, epoch = log.epoch): BuiltLog =>
  buildLog({ doc: log.doc, count, epoch, after: log.end })

/** Adds the tests of following to `t`, for one adapter whose logs several stores may write. */
export function testLogFollowing(t: Test, openRig: OpenLogStoreRig): void {
  const makeClients = async (t: Test) => {
    const rig = await openRig()
    t.teardown(() => rig.close())
    return { make: () => new LogClient(rig.open, rig.advance), failReads: rig.failReads }
  }

  /** A log that one store writes, and another one follows. */
  const follow = async (t: Test, count: number) => {
    const { make, failReads } = await makeClients(t)
    const [writer, follower] = [make(), make()]
    const log = await write(writer, buildLog({ doc, count }))
    t.same(await follower.follow(doc), { kind: 'log-followed', doc })
    return { make, failReads, writer, follower, log }
  }

  t.test('a log that is followed is told, and then what others append to it', async t => {
    const { writer, follower, log } = await follow(t, 40)
    t.ok(areSame(follower.recordsOf(doc), log.records))
    const second = next(log, 3)
    const third = next(second, 70)
    for (const more of [second, third]) {
      await writer.append(more)
      await follower.untilTold(doc, more.end.seq)
    }
    const all = [log, second, third].flatMap(({ records }) => records)
    t.ok(areSame(follower.recordsOf(doc), all))
  })

  t.test('who opens a log that it follows is told the rest and goes on', async t => {
    const { make, writer, follower, log } = await follow(t, 10)
    const told = follower.inputs.length
    const more = next(log, 4)
    await writer.append(more)
    const opened = await follower.open(doc)
    t.same(opened.answer, { kind: 'log-opened', doc, epoch: 1 })
    t.ok(areSame(follower.recordsOf(doc), [...log.records, ...more.records]))
    t.ok(follower.recordsOf(doc, told).length <= 4, 'nothing is told twice')
    const own = next(more, 2, 2)
    t.same(await follower.append(own), { kind: 'log-appended', doc, seq: 16 })
    t.match(await writer.append(next(more, 1)), {
      kind: 'log-append-refused',
      code: 'FANFOLD_FENCED',
    })
    const all = [log, more, own].flatMap(({ records }) => records)
    t.ok(areSame((await make().open(doc)).records, all))
    t.equal(follower.recordsOf(doc).length, 14, 'what it writes itself it is not told')
  })

  t.test('to follow claims nothing, and one log is followed by several', async t => {
    const { make, writer, follower, log } = await follow(t, 5)
    const other = make()
    await other.follow(doc)
    const more = next(log, 2)
    t.same(await writer.append(more), { kind: 'log-appended', doc, seq: 7 })
    for (const client of [follower, other]) {
      await client.untilTold(doc, 7)
      t.ok(areSame(client.recordsOf(doc), [...log.records, ...more.records]))
    }
  })

  t.test('a document that is not written yet is followed from its first record', async t => {
    const { make } = await makeClients(t)
    const [writer, follower] = [make(), make()]
    t.same(await follower.follow(doc), { kind: 'log-followed', doc })
    const log = await write(writer, buildLog({ doc, count: 3 }))
    await follower.untilTold(doc, 3)
    t.ok(areSame(follower.recordsOf(doc), log.records))
  })

  t.test('of a log with a snapshot that is told, and the records after it', async t => {
    const { make } = await makeClients(t)
    const [writer, follower] = [make(), make()]
    const log = await write(writer, buildLog({ doc, count: 20 }))
    t.match(await writer.keepSnapshot(doc, snapshotOf(log)), { kind: 'log-snapshot-kept' })
    const more = next(log, 2)
    await writer.append(more)
    await follower.follow(doc)
    const kinds = follower.inputs.map(({ kind }) => kind)
    t.equal(kinds[0], 'log-snapshot')
    await follower.untilTold(doc, 22)
    t.ok(areSame(follower.recordsOf(doc), more.records))
  })

  t.test('what is closed is not told any more, and may be followed and opened again', async t => {
    const { writer, follower, log } = await follow(t, 5)
    follower.release(doc)
    const told = follower.inputs.length
    const more = next(log, 3)
    await writer.append(more)
    await follower.follow(otherDoc)
    const other = await write(writer, buildLog({ doc: otherDoc, count: 2 }))
    await follower.untilTold(otherDoc, 2)
    t.equal(follower.recordsOf(doc, told).length, 0)
    t.ok(areSame(follower.recordsOf(otherDoc), other.records))
    await follower.follow(doc)
    t.ok(areSame(follower.recordsOf(doc, told), [...log.records, ...more.records]))
    follower.release(doc)
    const again = await follower.open(doc)
    t.ok(areSame(again.records, [...log.records, ...more.records]))
  })

  t.test('one that is closed before anything was told is told nothing', async t => {
    const { make } = await makeClients(t)
    const [writer, follower] = [make(), make()]
    const log = await write(writer, buildLog({ doc, count: 5 }))
    follower.store.perform({ kind: 'log-follow', doc })
    follower.release(doc)
    const opened = await follower.open(doc)
    t.ok(areSame(opened.records, log.records), 'the second asking alone is answered')
    t.equal(follower.recordsOf(doc).length, 5)
  })

  t.test('one that is opened before anything was told is told all', async t => {
    const { make } = await makeClients(t)
    const [writer, follower] = [make(), make()]
    const log = await write(writer, buildLog({ doc, count: 5 }))
    follower.store.perform({ kind: 'log-follow', doc })
    const opened = await follower.open(doc)
    t.match(opened.answer, { kind: 'log-opened', epoch: 1 })
    t.ok(areSame(follower.recordsOf(doc), log.records))
  })

  t.test('a log that cannot be read on is refused once, and read anew when it can', async t => {
    const { failReads, writer, follower, log } = await follow(t, 5)
    failReads(true)
    const more = next(log, 3)
    await writer.append(more)
    t.match(await follower.untilRefused(doc), { code: 'FANFOLD_LOG_UNREADABLE' })
    failReads(false)
    follower.release(doc)
    const told = follower.inputs.length
    t.same(await follower.follow(doc), { kind: 'log-followed', doc })
    t.ok(areSame(follower.recordsOf(doc, told), [...log.records, ...more.records]))
  })
}
