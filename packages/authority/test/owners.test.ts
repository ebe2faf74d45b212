/*
 * An authority that is one of several serves the documents that are its own, and lets those go that are not.
 */
import { decodeLinkFrame, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import type { AuthorityEffect } from '../src/authority-effect.ts'
import { child, peer } from './build-authority.ts'
import { answersOf, doc, factsOf, framesOf, link, match } from './build-document.ts'
import { moved, OwnedRig, stalled } from './build-owned.ts'

const semis = parseDocumentKey('acme/match/semis')

const kindsOf = (effects: readonly AuthorityEffect[]): string[] => effects.map(({ kind }) => kind)

/** A rig whose document is there, with a write in its log. */
function written(): OwnedRig {
  const rig = new OwnedRig()
  rig.commit()
  rig.effects()
  return rig
}

t.test("a write to another's document is rejected, and its log is not opened", async t => {
  const rig = new OwnedRig()
  rig.move(doc)
  const request = rig.write()
  const effects = rig.effects()
  t.same(answersOf(effects), [{ request, answer: { kind: 'rejected', ...moved } }])
  t.same(kindsOf(effects), ['write-answered'])
  t.equal(rig.authority.documentCount, 0)
  rig.write({ doc: semis })
  t.same(kindsOf(rig.effects()), ['log-open'], 'its own are served')
})

t.test("a join of another's document is refused, and told when to ask again", async t => {
  const rig = new OwnedRig()
  rig.move(doc)
  rig.join()
  const effects = rig.effects()
  t.match(framesOf(effects), [{ kind: 'refused', doc, ...moved, retryAfterMs: 100 }])
  t.notOk(kindsOf(effects).includes('log-open'))
  t.equal(rig.authority.streamCount, 0, 'the child does not follow it here')
  rig.frame({ kind: 'signal', signal: 'presence', doc, value: 40 })
  t.equal(rig.authority.viewersBelow, 0, 'nor do its viewers')
})

t.test("of another's document no log is replayed", async t => {
  const rig = new OwnedRig()
  rig.move(doc)
  rig.take({ kind: 'link-opened', link: child, peer, dialled: false })
  rig.frame({ kind: 'request-replay', doc, replay: 1, have: undefined, credit: 1_000_000 })
  rig.turn()
  const effects = rig.effects()
  t.match(framesOf(effects), [{ kind: 'replay-ended', replay: 1, code: moved.code }])
  t.notOk(kindsOf(effects).includes('log-open'))
})

t.test('a document that is let go ends the replays of its log', async t => {
  const rig = written()
  rig.take({ kind: 'link-opened', link: child, peer, dialled: false })
  rig.frame({ kind: 'request-replay', doc, replay: 1, have: undefined, credit: 1_000_000 })
  rig.move(doc)
  t.match(framesOf(rig.effects()), [{ kind: 'replay-ended', replay: 1, code: moved.code }])
  t.equal(rig.authority.documentCount, 0)
})

t.test('a document that nobody uses leaves memory when it is elsewhere', async t => {
  const rig = written()
  rig.commit(semis)
  rig.effects()
  rig.move(doc)
  t.same(rig.effects(), [{ kind: 'log-close', doc }])
  t.equal(rig.authority.documentCount, 1)
})

t.test('children of a document that is elsewhere are told, and follow it no more', async t => {
  const rig = written()
  rig.join()
  rig.join(doc, link(2))
  rig.effects()
  rig.move(doc)
  const effects = rig.effects()
  for (const to of [child, link(2)]) {
    t.match(framesOf(effects, to), [{ kind: 'ended', ...moved }])
  }
  t.equal(kindsOf(effects).at(-1), 'log-close')
  t.notOk(factsOf(effects).includes('document-refused'), 'nothing is wrong with it')
})

t.test('an append under way is answered before its document leaves', async t => {
  const rig = written()
  rig.join()
  const request = rig.write()
  rig.effects()
  rig.move(doc)
  t.same(rig.effects(), [], 'nobody knows what becomes of it')
  rig.answer()
  const effects = rig.effects()
  t.match(answersOf(effects), [{ request, answer: { kind: 'committed', seq: 3 } }])
  t.match(framesOf(effects), [{ kind: 'records' }, { kind: 'ended', ...moved }])
  t.equal(kindsOf(effects).at(-1), 'log-close')
  t.equal(rig.authority.documentCount, 0)
})

t.test('an append that the log refuses is answered so, and then its document leaves', async t => {
  for (const code of ['FANFOLD_LOG_FULL', 'FANFOLD_LOG_LOST', 'FANFOLD_FENCED'] as const) {
    const rig = written()
    const request = rig.write()
    rig.move(doc)
    rig.refuse(code)
    const effects = rig.effects()
    t.match(answersOf(effects), [{ request, answer: { kind: 'rejected', code } }])
    t.equal(kindsOf(effects).at(-1), 'log-close', code)
    t.equal(rig.authority.documentCount, 0)
  }
})

/** Another authority claims the log that the rig has, and writes once. */
function overtake(rig: OwnedRig): void {
  const other = new OwnedRig()
  other.logs.set(doc, [...(rig.logs.get(doc) ?? [])])
  other.write()
  other.answerAll()
  rig.logs.set(doc, [...(other.logs.get(doc) ?? [])])
}

/** A rig that takes a document over, which another authority has written. */
function taken(): OwnedRig {
  const rig = new OwnedRig()
  overtake(rig)
  return rig
}

t.test('who takes a document over claims its log as soon as a child is served', async t => {
  const rig = taken()
  rig.join()
  rig.effects()
  rig.answer()
  const effects = rig.effects()
  t.match(framesOf(effects), [{ kind: 'welcome' }, { kind: 'snapshot-begin' }], 'nobody waits')
  const asked = { kind: 'log-append', epoch: 2, after: { epoch: 1, seq: 2 } } as const
  t.match(rig.asked.get(doc), { ...asked, records: [{ kind: 'claim', seq: 3 }] })
  rig.answer()
  rig.join(doc, link(2))
  t.equal(rig.asked.size, 0, 'once')
  rig.commit()
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed', epoch: 2, seq: 4 } }])
})

t.test('one that nobody looks at is claimed by the first write alone', async t => {
  const rig = taken()
  const request = rig.write()
  rig.answer()
  t.match(rig.asked.get(doc), { records: [{ kind: 'claim' }, { kind: 'delta' }] })
  rig.join()
  rig.answer()
  t.equal(rig.asked.size, 0)
  t.match(answersOf(rig.effects()), [{ request, answer: { kind: 'committed', epoch: 2, seq: 4 } }])
})

t.test('what the one before has appended meanwhile is read before anything is claimed', async t => {
  const rig = taken()
  rig.join()
  rig.answer()
  rig.effects()
  overtake(rig)
  rig.refuse('FANFOLD_FENCED')
  const effects = rig.effects()
  t.match(framesOf(effects), [{ kind: 'ended', code: 'FANFOLD_FENCED' }])
  t.same(factsOf(effects).at(-1), 'document-overtaken')
  rig.ask()
  rig.answer()
  t.match(framesOf(rig.effects()), [{ kind: 'welcome' }, { manifest: { at: { seq: 4 } } }])
  t.match(rig.asked.get(doc), { epoch: 3, records: [{ kind: 'claim', seq: 5 }] })
})

t.test('what comes back under its own epoch is not claimed again', async t => {
  const rig = written()
  rig.move(doc)
  rig.bring(doc)
  rig.join()
  rig.answer()
  t.equal(rig.asked.size, 0)
})

t.test('who is not sure claims nothing, until it is', async t => {
  const rig = taken()
  rig.stall = stalled
  rig.join()
  rig.answer()
  t.match(framesOf(rig.effects())[0], { kind: 'welcome' }, 'the child is served')
  t.equal(rig.asked.size, 0)
  rig.stall = undefined
  rig.change()
  t.match(rig.asked.get(doc), { records: [{ kind: 'claim' }] })
})

t.test('a claim for which the log has no room is made again, and not at once', async t => {
  const rig = taken()
  rig.join()
  rig.answer()
  rig.refuse('FANFOLD_LOG_FULL')
  t.equal(rig.asked.size, 0)
  rig.nowMs += 999
  rig.turn()
  t.equal(rig.asked.size, 0)
  rig.nowMs += 1
  rig.turn()
  t.match(rig.asked.get(doc), { records: [{ kind: 'claim' }] })
  rig.answer()
  rig.commit()
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed', epoch: 2, seq: 4 } }])
})

t.test('of two that both serve a document each claim follows a write of the other', async t => {
  const rig = taken()
  rig.join()
  rig.answerAll()
  rig.write()
  overtake(rig)
  rig.refuse('FANFOLD_FENCED')
  for (let count = 0; count < 10; count++) {
    rig.nowMs += 499
    rig.turn()
    rig.ask()
    t.equal(rig.asked.size, 0, 'it is deposed, and waits')
  }
  rig.nowMs += 10
  rig.turn()
  rig.ask()
  rig.answer()
  t.match(rig.asked.get(doc), { epoch: 4, records: [{ kind: 'claim' }] })
})

t.test('a document that does not exist is looked for again, as another may create it', async t => {
  const rig = new OwnedRig()
  rig.join()
  rig.answer()
  t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_NO_DOCUMENT' }])
  overtake(rig)
  for (let second = 1; second <= 5; second++) {
    rig.nowMs += 1_000
    rig.turn()
    rig.ask()
    rig.answer()
  }
  const kinds = framesOf(rig.effects()).map(({ kind }) => kind)
  t.same(new Set(kinds.slice(0, 4)), new Set(['refused']), 'for a while it is taken to be absent')
  t.same(kinds.slice(4, 6), ['welcome', 'snapshot-begin'])
})

t.test('one that a write has created meanwhile stays where it is', async t => {
  const rig = new OwnedRig()
  rig.join()
  rig.answer()
  rig.commit()
  rig.effects()
  rig.nowMs += 5_000
  rig.turn()
  rig.ask()
  t.match(framesOf(rig.effects())[0], { kind: 'welcome' })
  t.equal(rig.asked.size, 0)
})

t.test('one that is overtaken before it has claimed the log reads it anew at once', async t => {
  const rig = written()
  rig.move(doc)
  rig.bring(doc)
  rig.effects()
  rig.join()
  rig.answer()
  const first = rig.write()
  rig.effects()
  rig.refuse('FANFOLD_FENCED')
  const effects = rig.effects()
  t.match(answersOf(effects), [{ request: first, answer: { code: 'FANFOLD_FENCED' } }])
  t.match(framesOf(effects), [{ kind: 'ended', code: 'FANFOLD_FENCED' }])
  t.same(factsOf(effects), ['document-overtaken'], 'nothing is wrong with it')
  t.equal(kindsOf(effects).at(-1), 'log-close')
  const second = rig.write()
  rig.answerAll()
  t.match(answersOf(rig.effects()), [{ request: second, answer: { kind: 'committed', epoch: 2 } }])
})

t.test('one that had claimed the log and is deposed waits, as others go on', async t => {
  const rig = written()
  rig.write()
  rig.refuse('FANFOLD_FENCED')
  t.ok(factsOf(rig.effects()).includes('document-refused'))
  const request = rig.write()
  const effects = rig.effects()
  t.match(answersOf(effects), [{ request, answer: { code: 'FANFOLD_FENCED' } }])
  t.same(kindsOf(effects), ['write-answered'], 'its log is not opened')
})

t.test('a document whose log does not answer stays until it does', async t => {
  const rig = written()
  const request = rig.write()
  rig.wait()
  rig.move(doc)
  t.equal(rig.authority.documentCount, 1)
  t.same(answersOf(rig.effects()), [])
  rig.answer()
  t.match(answersOf(rig.effects()), [{ request, answer: { kind: 'committed' } }])
  t.equal(rig.authority.documentCount, 0)
})

t.test('writes that wait are refused at once, and so is who comes meanwhile', async t => {
  const rig = written()
  const first = rig.write()
  const second = rig.write()
  rig.effects()
  rig.move(doc)
  t.same(answersOf(rig.effects()), [{ request: second, answer: { kind: 'rejected', ...moved } }])
  const third = rig.write()
  rig.join()
  const effects = rig.effects()
  t.match(answersOf(effects), [{ request: third, answer: { ...moved } }])
  t.match(framesOf(effects), [{ kind: 'refused', ...moved }])
  rig.answer()
  t.match(answersOf(rig.effects()), [{ request: first, answer: { kind: 'committed' } }])
  t.equal(rig.logs.get(doc)?.length, 3)
})

t.test('writes that wait are not begun before the document is looked at either', async t => {
  const rig = written()
  rig.write()
  const second = rig.write()
  rig.effects()
  rig.elsewhere.add(doc)
  rig.answer()
  t.match(answersOf(rig.effects()).at(-1), { request: second, answer: { ...moved } })
  t.equal(rig.asked.size, 0)
})

t.test('who asks anew for a document that is leaving follows it no more', async t => {
  const rig = written()
  rig.join()
  rig.frame({ kind: 'signal', signal: 'presence', doc, value: 40 })
  rig.write()
  rig.effects()
  rig.move(doc)
  rig.ask()
  t.match(framesOf(rig.effects()), [{ kind: 'refused', ...moved }])
  t.equal(rig.authority.viewersBelow, 0)
  rig.answer()
  t.same(framesOf(rig.effects()), [])
})

t.test(
  'while its log is read a document refuses who waits, and leaves when it has been',
  async t => {
    const rig = new OwnedRig()
    const request = rig.write()
    rig.join()
    rig.effects()
    rig.move(doc)
    const effects = rig.effects()
    t.same(answersOf(effects), [{ request, answer: { kind: 'rejected', ...moved } }])
    t.match(framesOf(effects), [{ kind: 'refused', ...moved, retryAfterMs: 100 }])
    rig.answer()
    t.same(rig.effects(), [{ kind: 'log-close', doc }])
    t.equal(rig.authority.documentCount, 0)
  },
)

t.test('a document that comes back is read anew, and goes on', async t => {
  const rig = written()
  rig.move(doc)
  rig.bring(doc)
  rig.effects()
  const request = rig.write()
  rig.answerAll()
  const effects = rig.effects()
  t.equal(effects[0]?.kind, 'log-open')
  t.match(answersOf(effects), [{ request, answer: { kind: 'committed', epoch: 2 } }])
  rig.join()
  t.match(framesOf(rig.effects())[0], { kind: 'welcome' })
})

t.test('nothing leaves when the document is ours again before it is gone', async t => {
  const rig = written()
  rig.join()
  rig.write()
  rig.effects()
  rig.move(doc)
  rig.bring(doc)
  rig.write()
  rig.answerAll()
  const effects = rig.effects()
  t.match(answersOf(effects), [{ answer: { kind: 'committed' } }, { answer: { epoch: 1, seq: 4 } }])
  t.match(framesOf(effects), [{ kind: 'records' }, { kind: 'records' }])
  t.notOk(kindsOf(effects).includes('log-close'))
  rig.elsewhere.add(doc)
  rig.take({ kind: 'owners-changed' })
  rig.bring(doc)
  t.same(rig.effects(), [], 'nor when it was not looked at meanwhile')
})

t.test('one that is quarantined leaves too, and is served anew when it comes back', async t => {
  const rig = written()
  rig.take({ kind: 'log-appended', doc, seq: 9 })
  rig.write()
  t.match(answersOf(rig.effects()), [{ answer: { code: 'FANFOLD_QUARANTINED' } }])
  rig.move(doc)
  t.same(rig.effects(), [{ kind: 'log-close', doc }])
  rig.bring(doc)
  rig.commit()
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed' } }])
})

t.test('a document that leaves tells its log of no definition', async t => {
  const rig = written()
  rig.write()
  const definition = { ...match, labels: [{ pattern: '/texts', label: 1 }] }
  rig.take({ kind: 'definition-loaded', definition })
  rig.move(doc)
  rig.answer()
  t.equal(rig.asked.size, 0)
  t.equal(rig.authority.documentCount, 0)
})

t.test('many documents are let go in turns of 512', async t => {
  const rig = new OwnedRig()
  const keys = Array.from({ length: 1_100 }, (_, at) => parseDocumentKey(`acme/match/m${at}`))
  for (const key of keys) rig.ask(key)
  for (const key of keys) rig.join(key)
  rig.answerAll()
  t.equal(rig.authority.documentCount, 1_100)
  for (const key of keys) rig.elsewhere.add(key)
  rig.take({ kind: 'owners-changed' })
  const counts: number[] = []
  while (rig.isBusy && counts.length < 10) {
    rig.turn()
    counts.push(rig.authority.documentCount)
  }
  t.same(counts, [588, 76, 0])
})

t.test('a stall refuses writes, and neither joins nor what is under way', async t => {
  const rig = written()
  const first = rig.write()
  const second = rig.write()
  rig.effects()
  rig.stall = stalled
  rig.change()
  const third = rig.write()
  rig.join()
  const told = rig.effects()
  t.match(answersOf(told), [{ request: third, answer: { kind: 'rejected', ...stalled } }])
  t.match(framesOf(told)[0], { kind: 'welcome' })
  rig.answer()
  const effects = rig.effects()
  t.match(answersOf(effects), [
    { request: first, answer: { kind: 'committed' } },
    { request: second, answer: { kind: 'rejected', ...stalled } },
  ])
  t.equal(framesOf(effects)[0]?.kind, 'snapshot-begin')
  rig.write({ doc: semis })
  t.match(answersOf(rig.effects()), [{ answer: { ...stalled } }])
  t.notOk(rig.asked.has(semis), 'nor is a log opened for one')
  rig.stall = undefined
  rig.change()
  rig.answer()
  rig.effects()
  rig.commit()
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed', epoch: 2 } }])
})

t.test(
  'after a doubt what is looked at is claimed anew, and the rest by the next write',
  async t => {
    const rig = written()
    rig.commit(semis)
    rig.join()
    rig.stall = stalled
    rig.change()
    t.equal(rig.asked.size, 0)
    rig.stall = undefined
    rig.change()
    t.match(rig.asked.get(doc), { epoch: 2, records: [{ kind: 'claim' }] })
    t.equal(rig.asked.size, 1)
    rig.answer()
    rig.change()
    t.equal(rig.asked.size, 0, 'once')
    rig.write({ doc: semis })
    t.match(rig.asked.get(semis), { epoch: 2, records: [{ kind: 'claim' }, { kind: 'delta' }] })
  },
)

t.test('what another wrote during a doubt is read at once, and nobody is told to wait', async t => {
  for (const isWritten of [false, true]) {
    const rig = written()
    rig.join()
    rig.stall = stalled
    rig.change()
    overtake(rig)
    rig.stall = undefined
    rig.change()
    if (isWritten) rig.write()
    rig.effects()
    rig.refuse('FANFOLD_FENCED')
    t.ok(factsOf(rig.effects()).includes('document-overtaken'))
    rig.ask()
    rig.answer()
    t.match(framesOf(rig.effects()), [{ kind: 'welcome' }, { manifest: { at: { epoch: 2 } } }])
    t.match(rig.asked.get(doc), { epoch: 3, records: [{ kind: 'claim' }] })
  }
})

t.test('an append that was on its way during a doubt counts, and the claim follows it', async t => {
  const rig = written()
  rig.join()
  const request = rig.write()
  rig.stall = stalled
  rig.change()
  rig.stall = undefined
  rig.change()
  rig.effects()
  rig.answer()
  t.match(answersOf(rig.effects()), [{ request, answer: { kind: 'committed', epoch: 1 } }])
  t.match(rig.asked.get(doc), { epoch: 2, records: [{ kind: 'claim' }] })
})

/** What children are told of how old what they have may be. */
const statusesOf = (effects: readonly AuthorityEffect[]): unknown[] =>
  effects.flatMap(effect => {
    if (effect.kind !== 'link-signal' || !effect.key.startsWith('status')) return []
    const { link, frame } = effect
    const decoded = decodeLinkFrame(frame)
    return decoded?.kind === 'status' ? [[link, decoded.stale, decoded.ageMs]] : []
  })

t.test('while it is in doubt nodes below hear that what they have may be old', async t => {
  const rig = written()
  rig.join()
  rig.effects()
  rig.stall = stalled
  rig.change()
  t.same(statusesOf(rig.effects()), [[child, true, 0]])
  rig.nowMs += 3_000
  rig.change()
  t.same(statusesOf(rig.effects()), [], 'said once')
  rig.join(doc, link(2))
  t.same(statusesOf(rig.effects()), [[link(2), true, 3_000]], 'who comes hears it too')
  rig.stall = undefined
  rig.change()
  const over = [child, link(2)].map(one => [one, false, 0])
  t.same(statusesOf(rig.effects()), over)
  rig.change()
  t.same(statusesOf(rig.effects()), [])
})

t.test("what is another's is said to be so during a stall too", async t => {
  const rig = written()
  rig.stall = stalled
  rig.move(doc)
  rig.write()
  t.match(answersOf(rig.effects()), [{ answer: { ...moved } }])
})

t.test('a stall holds the definition back, and who has to wait for it', async t => {
  const rig = written()
  rig.join()
  rig.effects()
  rig.stall = stalled
  const definition = { ...match, labels: [{ pattern: '/texts', label: 1 }] }
  rig.take({ kind: 'definition-loaded', definition })
  rig.change()
  t.equal(rig.asked.size, 0)
  rig.join(doc, link(2))
  t.match(framesOf(rig.effects(), link(2)), [{ kind: 'refused', ...stalled, retryAfterMs: 1_000 }])
  rig.stall = undefined
  rig.change()
  t.match(rig.asked.get(doc), { records: [{ kind: 'claim' }, { kind: 'definition' }] })
  rig.answer()
  rig.join(doc, link(2))
  t.match(framesOf(rig.effects(), link(2))[0], { kind: 'welcome' })
})
