import { sha256 } from '@fanfold/conformance'
import { defineDocument } from '@fanfold/definition'
import { AssertionError } from '@fanfold/kernel'
import { parseDocumentKey, type RequestId } from '@fanfold/protocol'
import { defaultTransferLimits } from '@fanfold/replication'
import t from 'tap'
import { Authority } from '../src/authority.ts'
import type { AuthorityEffect } from '../src/authority-effect.ts'
import { child, Rig } from './build-authority.ts'
import {
  answersOf,
  at,
  contextOf,
  doc,
  factsOf,
  framesOf,
  limitsOf,
  match,
  replicaOf,
  send,
  write,
} from './build-document.ts'

const semis = parseDocumentKey('acme/match/semis')
const other = parseDocumentKey('acme/table/one')

const kindsOf = (effects: readonly AuthorityEffect[]): string[] => effects.map(({ kind }) => kind)

t.test('a document comes into memory when it is needed', async t => {
  const rig = new Rig()
  t.equal(rig.authority.documentCount, 0)
  rig.write()
  t.same(kindsOf(rig.effects()), ['log-open', 'log-append', 'write-answered', 'fact'])
  rig.write()
  t.same(kindsOf(rig.effects()), ['log-append', 'write-answered', 'fact'])
  t.equal(rig.authority.documentCount, 1)
})

t.test('a join is answered in its own turn, by an empty document and by none too', async t => {
  const rig = new Rig()
  const empty = parseDocumentKey('acme/empty/one')
  const definition = defineDocument({ type: 'empty', state: () => ({}), messages: {} })
  rig.take({ kind: 'definition-loaded', definition })
  rig.write({ doc: empty, action: { type: 'create' } })
  rig.effects()
  rig.join(empty)
  const frames = framesOf(rig.effects(), child)
  t.match(frames, [
    { kind: 'welcome', mode: 'snapshot', head: { seq: 1 } },
    { kind: 'snapshot-begin', manifest: { at: { seq: 1 }, pieces: { length: 1 } } },
    { kind: 'snapshot-piece', index: 0 },
  ])
  t.same(replicaOf(frames).state(), {})
  rig.join(parseDocumentKey('acme/empty/none'))
  t.match(framesOf(rig.effects(), child), [{ kind: 'refused', code: 'FANFOLD_NO_DOCUMENT' }])
})

t.test('a child follows the document by the channel of the welcome', async t => {
  const rig = new Rig()
  rig.write()
  rig.effects()
  rig.join()
  const frames = framesOf(rig.effects(), child)
  t.match(frames[0], { kind: 'welcome', doc, mode: 'snapshot', head: { seq: 2 } })
  rig.write()
  t.match(framesOf(rig.effects(), child), [{ kind: 'records', records: [{ seq: 3 }] }])
  rig.frame({ kind: 'leave', doc })
  rig.write()
  t.same(framesOf(rig.effects(), child), [{ kind: 'left', doc }])
  rig.take({ kind: 'link-closed', link: child, reason: 'gone' })
  t.equal(rig.authority.childCount, 0)
})

t.test('what only authorities keep crosses no link with a ceiling of 239', async t => {
  for (const ceiling of [0, 239]) {
    const rig = new Rig()
    rig.write({ subject: 'secret-subject', id: 'secret-id' })
    rig.join(doc, ceiling)
    rig.write({ subject: 'secret-subject', id: 'secret-id-2' })
    const sent = rig
      .effects()
      .flatMap(effect => (effect.kind === 'link-send' ? [effect.frame] : []))
    t.ok(sent.length > 2)
    t.notOk(Buffer.concat(sent).toString('latin1').includes('secret'), `ceiling ${ceiling}`)
  }
})

t.test(
  'a document that does not exist is refused to a child, and credit does not load it',
  async t => {
    const rig = new Rig({ restAfterMs: 10, unloadAfterMs: 10 })
    rig.join()
    t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_NO_DOCUMENT' }])
    rig.passTo(100)
    t.equal(rig.authority.documentCount, 0)
    rig.effects()
    rig.take({ kind: 'link-congested', link: child })
    rig.take({ kind: 'link-drained', link: child })
    rig.take({ kind: 'link-closed', link: child, reason: 'gone' })
    t.same(rig.effects(), [])
    t.equal(rig.authority.documentCount, 0)
  },
)

t.test('a document rests, and leaves memory later; only then is its log closed', async t => {
  const rig = new Rig({ restAfterMs: 1_000, unloadAfterMs: 5_000 })
  rig.write()
  rig.effects()
  rig.passTo(1_000)
  rig.write()
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed', epoch: 1 } }])
  rig.passTo(6_999)
  t.same(rig.effects(), [])
  t.equal(rig.authority.documentCount, 1)
  rig.passTo(7_000)
  t.match(rig.effects(), [{ kind: 'log-close', doc }])
  t.equal(rig.authority.documentCount, 0)
  t.equal(rig.authority.wakeAt(), undefined)
})

t.test('a document with children stays in memory', async t => {
  const rig = new Rig({ restAfterMs: 1_000, unloadAfterMs: 5_000 })
  rig.write()
  rig.join()
  rig.effects()
  rig.passTo(50_000)
  t.equal(rig.authority.documentCount, 1)
  rig.write()
  t.match(framesOf(rig.effects(), child), [{ kind: 'records' }])
})

t.test('a definition that is loaded counts from the next write on', async t => {
  const rig = new Rig()
  rig.write({ doc: other })
  t.match(answersOf(rig.effects()), [{ answer: { code: 'FANFOLD_NO_DEFINITION' } }])
  rig.take({ kind: 'definition-loaded', definition: { ...match, type: 'table' } })
  rig.write({ doc: other })
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed' } }])
})

for (const code of [
  'FANFOLD_LOG_FULL',
  'FANFOLD_LOG_UNREADABLE',
  'FANFOLD_LOG_UNREACHABLE',
] as const) {
  t.test(`a log that cannot be opened now (${code}) is opened for the next who asks`, async t => {
    const rig = new Rig()
    rig.opensRefused = 2
    rig.opensRefusedBy = code
    rig.write()
    t.match(answersOf(rig.effects()), [{ answer: { code } }])
    t.equal(rig.authority.documentCount, 0)
    rig.join()
    const told = { kind: 'refused', code, retryAfterMs: 1_000 }
    t.match(framesOf(rig.effects()), [told], 'the child is told when to ask again')
    rig.write()
    t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed' } }])
  })
}

t.test('an epoch that the log has lost is not given again', async t => {
  const rig = new Rig()
  rig.write()
  rig.effects()
  rig.appendsRefusedBy = 'FANFOLD_LOG_LOST'
  rig.epochs.set(doc, 0)
  rig.write()
  t.match(answersOf(rig.effects()), [{ answer: { code: 'FANFOLD_LOG_LOST' } }])
  t.equal(rig.authority.documentCount, 0, 'its log is read anew for whoever asks next')
  rig.opensRefused = 1
  rig.write()
  t.match(answersOf(rig.effects()), [{ answer: { code: 'FANFOLD_LOG_FULL' } }])
  rig.appendsRefusedBy = undefined
  rig.write()
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed', epoch: 2, seq: 2 } }])
})

t.test('a document that somebody else has claimed is looked at anew after a while', async t => {
  const rig = new Rig()
  rig.write()
  rig.join()
  rig.effects()
  rig.appendsRefusedBy = 'FANFOLD_FENCED'
  const fenced = [{ answer: { code: 'FANFOLD_FENCED' } }]
  rig.write()
  t.match(answersOf(rig.effects()), fenced)
  rig.appendsRefusedBy = undefined
  for (const ms of [1_000, 2_500, 4_999]) {
    rig.passTo(ms)
    rig.write()
    rig.join()
    t.match(answersOf(rig.effects()), fenced, `at ${ms} ms`)
  }
  rig.passTo(5_000)
  t.match(rig.effects(), [{ kind: 'log-close', doc }])
  rig.epochs.set(doc, 4)
  rig.write()
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed', epoch: 5 } }])
})

t.test('an assertion that fails in one document leaves the others alone', async t => {
  const rig = new Rig({ restAfterMs: 1_000, unloadAfterMs: 1_000 })
  const rule = match.messages['goal']
  t.ok(rule)
  if (rule === undefined) return
  rig.write({ doc: semis })
  rig.write()
  rig.join()
  rig.effects()
  const messages = {
    ...match.messages,
    goal: {
      ...rule,
      handler: () => {
        throw new AssertionError('our own bug')
      },
    },
  }
  rig.take({ kind: 'definition-loaded', definition: { ...match, messages } })
  const request = rig.write()
  const effects = rig.effects()
  t.match(answersOf(effects), [{ request, answer: { code: 'FANFOLD_QUARANTINED' } }])
  t.match(framesOf(effects), [{ kind: 'ended', code: 'FANFOLD_QUARANTINED' }])
  t.ok(factsOf(effects).includes('document-quarantined'))
  rig.write({ doc: semis, action: send('see') })
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed', seq: 3 } }])
  rig.take({ kind: 'definition-loaded', definition: match })
  rig.passTo(100_000)
  rig.write()
  t.match(
    answersOf(rig.effects()),
    [{ answer: { code: 'FANFOLD_QUARANTINED' } }],
    'until a restart',
  )
})

t.test('each writer is answered once, those of a batch that asserts too', async t => {
  const rule = match.messages['goal']
  if (rule === undefined) return
  const handler = () => {
    throw new AssertionError('our own bug')
  }
  // Three wait while the log is read.
  const authority = new Authority({
    sha256,
    randomBytes: contextOf().randomBytes,
    limits: limitsOf(),
  })
  const effects: AuthorityEffect[] = []
  const definition = { ...match, messages: { ...match.messages, goal: { ...rule, handler } } }
  authority.receive({ kind: 'definition-loaded', definition }, at(0), effects)
  const actions = [send('see'), send('goal', { team: 'home' }), send('nothing')]
  for (const [index, action] of actions.entries()) {
    authority.receive(write({ request: (index + 1) as RequestId, action }), at(0), effects)
  }
  authority.receive({ kind: 'log-opened', doc, epoch: 0 }, at(0), effects)
  t.same(
    answersOf(effects)
      .map(({ request }) => request)
      .toSorted(),
    [1, 2, 3],
  )
  t.notOk(kindsOf(effects).includes('log-append'))
})

t.test('a log whose records do not follow quarantines its document', async t => {
  const rig = new Rig()
  rig.write({ doc: semis })
  const effects = rig.effects()
  const [append] = effects.flatMap(effect => (effect.kind === 'log-append' ? [effect] : []))
  const authority = new Authority({
    sha256,
    randomBytes: contextOf().randomBytes,
    limits: limitsOf(),
  })
  const out: AuthorityEffect[] = []
  authority.receive(write({ request: 1 as RequestId }), at(0), out)
  const records = append?.records.slice(1) ?? []
  authority.receive({ kind: 'log-records', doc, records }, at(0), out)
  authority.receive({ kind: 'log-records', doc, records }, at(0), out)
  authority.receive({ kind: 'log-opened', doc, epoch: 3 }, at(0), out)
  t.match(answersOf(out), [{ request: 1, answer: { code: 'FANFOLD_QUARANTINED' } }])
  t.equal(factsOf(out).filter(event => event === 'document-quarantined').length, 1)
})

t.test('a snapshot that is none quarantines its document too', async t => {
  const rig = new Rig()
  const authority = new Authority({
    sha256,
    randomBytes: contextOf().randomBytes,
    limits: limitsOf(),
  })
  const out: AuthorityEffect[] = []
  authority.receive(write({ request: 1 as RequestId }), at(0), out)
  const manifest = {
    at: { epoch: 1, seq: 3, hash: new Uint8Array(32) },
    pieces: [{ tag: 0, bytes: 1, digest: new Uint8Array(32) }],
  }
  const snapshot = { manifest, pieces: [new Uint8Array([0x7b])] }
  authority.receive({ kind: 'log-snapshot', doc, snapshot }, at(0), out)
  t.match(answersOf(out), [{ answer: { code: 'FANFOLD_QUARANTINED' } }])
  t.equal(rig.authority.documentCount, 0)
})

t.test('a long snapshot goes out in turns', async t => {
  const rig = new Rig()
  for (let count = 0; count < 12; count++) rig.write({ action: send('text', { bytes: 80_000 }) })
  rig.effects()
  rig.join()
  const pieces = (): number =>
    framesOf(rig.effects()).filter(({ kind }) => kind === 'snapshot-piece').length
  const first = pieces()
  t.equal(rig.authority.wakeAt(), at(rig.nowMs))
  const turns: number[] = []
  while (rig.authority.wakeAt() === at(rig.nowMs) && turns.length < 100) {
    rig.takeTurn()
    turns.push(pieces())
  }
  t.ok(turns.length > 1, `${first}, then ${turns}`)
  t.ok(turns.every(count => count <= 8))
  t.ok(first + turns.reduce((sum, count) => sum + count) >= 15)
})

t.test('of a snapshot no more is ahead of its child than the limits say', async t => {
  const rig = new Rig({ transfer: { ...defaultTransferLimits, bytesUnderWayMax: 150_000 } })
  for (let count = 0; count < 12; count++) rig.write({ action: send('text', { bytes: 80_000 }) })
  rig.effects()
  rig.join()
  let bytes = 0
  for (let turn = 0; turn < 100 && rig.authority.wakeAt() === at(rig.nowMs); turn++) {
    const pieces = framesOf(rig.tick()).flatMap(frame =>
      frame.kind === 'snapshot-piece' ? [frame.piece.length] : [],
    )
    const sent = pieces.reduce((sum, length) => sum + length, 0)
    // What a turn sends is taken after it.
    t.ok(sent < 150_000 + 65_536, `${sent} bytes in a turn`)
    bytes += sent
  }
  t.ok(bytes > 700_000, `${bytes} bytes in all`)
})

t.test('answers of the log to a document that has left memory are nothing', async t => {
  const rig = new Rig()
  rig.take({ kind: 'log-opened', doc, epoch: 4 })
  t.same(rig.effects(), [])
  t.equal(rig.authority.documentCount, 0)
})

t.test('a document too many is refused, in words a writer and a child understand', async t => {
  const rig = new Rig({ documentsMax: 1 })
  rig.write()
  rig.effects()
  rig.write({ doc: semis })
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'rejected', code: 'FANFOLD_OVERLOADED' } }])
  rig.join(semis)
  t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_OVERLOADED' }])
  t.equal(rig.authority.documentCount, 1)
})

t.test('a document that rests makes room for another, one with children does not', async t => {
  const rig = new Rig({ documentsMax: 2, restAfterMs: 1_000, unloadAfterMs: 60_000 })
  rig.write()
  rig.join()
  rig.write({ doc: semis })
  rig.passTo(2_000)
  rig.effects()
  rig.write({ doc: other })
  t.match(kindsOf(rig.effects()).slice(0, 2), ['log-close', 'log-open'])
  t.equal(rig.authority.documentCount, 2)
})

t.test('documents that do not exist take nobody else the room', async t => {
  const rig = new Rig({ documentsMax: 2 })
  for (let index = 0; index < 100; index++) rig.join(parseDocumentKey(`acme/match/none-${index}`))
  t.equal(rig.authority.documentCount, 2)
  rig.write()
  rig.write({ doc: semis })
  t.equal(answersOf(rig.effects()).filter(({ answer }) => answer.kind === 'committed').length, 2)
  rig.join(parseDocumentKey('acme/match/none'))
  t.equal(rig.authority.documentCount, 2)
})
