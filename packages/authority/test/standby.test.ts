import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { doc, link, send } from './build-document.ts'
import { moved } from './build-owned.ts'
import { type Side, StandbyRig } from './build-standby.ts'

const keyOf = (number: number): DocumentKey => parseDocumentKey(`acme/match/m${number}`)
const eventsOf = ({ facts }: Side): string[] =>
  facts.map(({ event }) => event).filter(event => event.startsWith('standby'))

/** A document with so many goals, which the other one stands by for. */
function followed(goals: number, rig = new StandbyRig()): StandbyRig {
  for (let number = 1; number <= goals; number++) rig.a.write({ id: `goal-${number}` })
  rig.settle()
  return rig
}

t.test(
  'who stands by follows what the owner has in use, and reads the last of it when it takes over',
  t => {
    const rig = followed(20)
    const { a, b } = rig
    t.same(b.authority.standby, { documents: 1, lagRecords: 0 })
    t.equal(b.authority.documentCount, 0, 'it is no document of its own')
    for (let number = 21; number <= 23; number++) {
      a.write({ id: `goal-${number}` })
      a.answer()
    }
    b.see('b')
    t.same(eventsOf(b), ['standby-took-over'])
    b.settle()
    t.same(b.openings, [3], 'three records are read')
    const request = b.write({ id: 'goal-24' })
    b.settle()
    const { length } = rig.logs.of(doc).records
    t.match(b.answers.get(request), { kind: 'committed', epoch: 2, seq: length })
    t.match(b.authority.standingOf(doc), { epoch: 2, seq: length })
    t.same(b.authority.standby, { documents: 0, lagRecords: 0 })
    for (const number of [1, 20, 23]) {
      const again = b.write({ id: `goal-${number}` })
      t.match(b.answers.get(again), { kind: 'committed', epoch: 1 }, `goal-${number} is known`)
    }
    t.equal(rig.logs.of(doc).records.length, length)
    t.end()
  },
)

t.test('a write that comes before anybody looks takes the document over', t => {
  const { a, b } = followed(3)
  a.write({ id: 'goal-4' })
  a.answer()
  b.owner = 'b'
  const request = b.write({ id: 'goal-5' })
  b.settle()
  t.match(b.answers.get(request), { kind: 'committed', epoch: 2 })
  t.same(b.openings, [1])
  t.end()
})

t.test('who stands by serves nobody, and shows nothing', t => {
  const { b } = followed(3)
  const request = b.write()
  t.same(b.answers.get(request), { kind: 'rejected', ...moved })
  t.equal(b.authority.standingOf(doc), undefined)
  t.same(b.asked, [])
  t.end()
})

t.test('one that was owner until now is told nothing and begins nothing', t => {
  const rig = followed(3)
  const { a, b } = rig
  rig.see('b')
  rig.settle()
  b.write({ id: 'goal-4' })
  rig.settle()
  t.same(a.authority.standby, { documents: 1, lagRecords: 0 }, 'it stands by, as it is next')
  rig.see('a')
  rig.settle()
  t.same(eventsOf(a), ['standby-took-over'])
  const request = a.write({ id: 'goal-4' })
  a.settle()
  t.match(a.answers.get(request), { kind: 'committed', epoch: 2 })
  t.end()
})

t.test('nothing is told where nobody stands by, and what is told by others is no matter', t => {
  const rig = new StandbyRig()
  rig.see('a', false)
  followed(3, rig)
  t.same(rig.a.signals, [])
  rig.a.see('a', true)
  rig.a.settle()
  t.equal(rig.a.signals.length, 1, 'it is told once somebody does')
  t.same(
    rig.b.authority.standby,
    { documents: 0, lagRecords: 0 },
    'who sees it otherwise ignores it',
  )
  rig.b.see('b', true)
  rig.a.passTo(5_000)
  t.equal(rig.a.signals.length, 2)
  t.same(rig.b.authority.standby, { documents: 0, lagRecords: 0 }, 'it is not the sender’s')
  t.end()
})

t.test('a document is told of again while it is in use, and left when it is not', t => {
  const rig = followed(1, new StandbyRig({ restAfterMs: 12_000, unloadAfterMs: 600_000 }))
  const count = (): number => rig.a.signals.length
  t.equal(count(), 1)
  rig.passTo(5_000)
  rig.passTo(10_000)
  t.equal(count(), 3)
  for (let ms = 15_000; ms <= 29_000; ms += 1_000) rig.passTo(ms)
  t.equal(count(), 3, 'it is at rest')
  t.equal(rig.b.following.size, 1)
  rig.passTo(30_000)
  t.equal(rig.b.following.size, 0)
  t.same(rig.b.authority.standby, { documents: 0, lagRecords: 0 })
  rig.a.write()
  rig.passTo(35_000)
  t.equal(rig.b.following.size, 1, 'it is in use again')
  t.end()
})

t.test('who is not next any more lets go', t => {
  const rig = followed(3)
  rig.b.see('a', false)
  t.equal(rig.b.following.size, 0)
  t.same(rig.b.authority.standby, { documents: 0, lagRecords: 0 })
  t.end()
})

t.test('how far it is behind is told by what the owner has said', t => {
  const { a, b } = followed(3)
  for (let number = 0; number < 4; number++) {
    a.write()
    a.answer()
  }
  a.nowMs = 5_000
  a.turn()
  t.same(b.authority.standby, { documents: 1, lagRecords: 4 })
  b.follow()
  t.same(b.authority.standby, { documents: 1, lagRecords: 0 })
  t.end()
})

t.test('so many documents are stood by for, and one more is not', t => {
  const rig = new StandbyRig({ standbyDocumentsMax: 3 })
  for (let number = 0; number < 3; number++) rig.a.write({ doc: keyOf(number) })
  rig.settle()
  t.equal(rig.b.authority.standby.documents, 3)
  t.same(eventsOf(rig.b), [])
  for (let number = 3; number < 6; number++) rig.a.write({ doc: keyOf(number) })
  rig.settle()
  t.equal(rig.b.authority.standby.documents, 3)
  t.same(eventsOf(rig.b), ['standby-full'], 'that is said once')
  t.end()
})

t.test('documents of its own take the places of those that it stands by for', t => {
  const rig = new StandbyRig({ documentsMax: 2 })
  rig.a.write({ doc: keyOf(0) })
  rig.a.write({ doc: keyOf(1) })
  rig.settle()
  t.equal(rig.b.authority.standby.documents, 2)
  // Of these three it has two, as it sees it from here on.
  rig.b.owner = 'b'
  const request = rig.b.write({ doc: keyOf(2) })
  rig.b.settle()
  t.match(rig.b.answers.get(request), { kind: 'committed' })
  t.end()
})

t.test('one that cannot be followed is let go, and tried again after a while', t => {
  const rig = followed(3)
  rig.b.refuse('FANFOLD_LOG_UNREADABLE')
  t.same(eventsOf(rig.b), ['standby-lost'])
  t.equal(rig.b.authority.standby.documents, 0)
  for (let ms = 5_000; ms < 30_000; ms += 5_000) rig.passTo(ms)
  t.equal(rig.b.authority.standby.documents, 0)
  for (let ms = 30_000; ms <= 35_000; ms += 5_000) rig.passTo(ms)
  t.equal(rig.b.authority.standby.documents, 1)
  t.end()
})

t.test(
  'a log that has lost what was followed is read anew, and its epoch is not given again',
  t => {
    const rig = followed(3)
    const { a, b } = rig
    rig.see('b')
    rig.settle()
    b.write()
    rig.settle()
    t.equal(rig.logs.of(doc).epoch, 2)
    // A copy of before is put back while the other one has the document.
    const log = rig.logs.of(doc)
    log.records.splice(4)
    Object.assign(log, { epoch: 1, writer: 'a' })
    a.see('a')
    a.refuse('FANFOLD_LOG_LOST')
    const request = a.write()
    a.settle()
    t.match(a.answers.get(request), { kind: 'committed', epoch: 3, seq: 6 })
    t.end()
  },
)

t.test('a log whose records do not fit ends the standing by alone', t => {
  const rig = followed(3)
  const [record] = rig.logs.of(doc).records
  if (record === undefined) throw new Error('there are records')
  rig.b.take({ kind: 'log-records', doc, records: [record] })
  t.same(eventsOf(rig.b), ['standby-lost'])
  rig.see('b')
  const request = rig.b.write({ action: send('goal', { team: 'away' }) })
  rig.settle()
  t.match(rig.b.answers.get(request), { kind: 'committed', epoch: 2 })
  t.end()
})

t.test('a link that is lost leaves what is stood by for', t => {
  const { b } = followed(3)
  for (const number of [1, 2]) b.take({ kind: 'link-closed', link: link(number), reason: 'gone' })
  t.equal(b.authority.standby.documents, 1)
  b.see('b')
  b.settle()
  t.same(b.openings, [0])
  t.end()
})
