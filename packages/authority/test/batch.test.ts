import { sha256 } from '@fanfold/conformance'
import { Chain, decodeChange } from '@fanfold/document'
import {
  partTags,
  type RequestId,
  type WriteAnswer,
  type WriterInput,
  zeroHash,
} from '@fanfold/protocol'
import t from 'tap'
import { type Batch, BatchBuilder } from '../src/batch.ts'
import { CommittedDocument } from '../src/committed-document.ts'
import { decodeOrigin } from '../src/origin.ts'
import { contextOf, doc, match, send, startMs, write } from './build-document.ts'

type Options = {
  committed?: CommittedDocument
  claimed?: number
  logEpoch?: number
  context?: ReturnType<typeof contextOf>
}

const fresh = (): CommittedDocument => {
  const { chain, limits, now } = contextOf()
  return new CommittedDocument(doc, chain, limits, now)
}

const epochsOf = (claimed: number, highest: number) => ({ claimed, highest, isClaimDue: false })

/** A batch of these writes. */
function build(writes: readonly Partial<WriterInput>[], options: Options = {}): Batch {
  const context = options.context ?? contextOf()
  const builder = new BatchBuilder({
    doc,
    context,
    committed: options.committed ?? fresh(),
    epochs: epochsOf(options.claimed ?? 0, options.logEpoch ?? 0),
    loaded: context.loadedFor('match'),
  })
  for (const [index, overrides] of writes.entries()) {
    builder.add(write({ request: (index + 1) as RequestId, ...overrides }))
  }
  return builder.finish()
}

/** The committed document after a batch. */
function committed(batch: Batch, document = fresh()): CommittedDocument {
  document.commit(batch)
  return document
}

const created = (): CommittedDocument => committed(build([{ action: { type: 'create' } }]))

const kindsOf = (batch: Batch): string[] => batch.records.map(({ kind }) => kind)

const answers = (batch: Batch): Map<number, WriteAnswer> =>
  new Map([
    ...batch.immediate.map(({ request, answer }) => [request, answer] as const),
    ...batch.answers.map(({ input, answer }) => [input.request, answer] as const),
  ])

const codeOf = (batch: Batch, request = 1): string | undefined => {
  const answer = answers(batch).get(request)
  return answer?.kind === 'rejected' ? answer.code : answer?.kind
}

t.test('the first message creates the document and then changes it', async t => {
  const batch = build([{ id: 'a1' }])
  t.same(kindsOf(batch), ['create', 'delta'])
  t.match(batch, { epoch: 1, end: { epoch: 1, seq: 2 }, state: { goals: { home: 1 } } })
  const state = { goals: {}, texts: [], seen: null }
  t.same(batch.records.map(decodeChange), [
    { kind: 'create', patch: [{ op: 'add', path: '', value: state }] },
    { kind: 'delta', patch: [{ op: 'add', path: '/goals/home', value: 1 }] },
  ])
  t.match(answers(batch).get(1), { kind: 'committed', epoch: 1, seq: 2 })
})

t.test('records are chained, and say who and when for authorities alone', async t => {
  const trace = new Uint8Array(16).fill(9)
  const batch = build([{ id: 'a1', trace, timeMs: startMs + 5 }, { subject: 'bob' }])
  const chain = new Chain(sha256)
  let before = zeroHash
  for (const record of batch.records) {
    t.ok(chain.verifies(record, before))
    t.same(record.timeMs, startMs + 5, 'the clock of the second write was behind')
    before = record.chainHash
  }
  const [, delta, second] = batch.records
  t.same(delta?.trace, trace)
  t.same(decodeOrigin(delta?.payload(partTags.authority) ?? new Uint8Array()), {
    by: 'ada',
    id: 'a1',
    message: 'goal',
  })
  t.match(decodeOrigin(second?.payload(partTags.authority) ?? new Uint8Array()), { by: 'bob' })
})

t.test('without leave to create, a message to nothing is refused', async t => {
  const batch = build([{ mayCreate: false }])
  t.equal(codeOf(batch), 'FANFOLD_NO_DOCUMENT')
  t.same(batch.records, [])
})

t.test('a first message that is not accepted creates nothing, and the next one may', async t => {
  const batch = build([{ action: send('fail') }, { action: send('nope') }, {}])
  t.equal(codeOf(batch, 1), 'FANFOLD_HANDLER_FAILED')
  t.equal(codeOf(batch, 2), 'FANFOLD_NO_MESSAGE')
  t.same(kindsOf(batch), ['create', 'delta'])
  t.match(batch, { end: { seq: 2 }, state: { goals: { home: 1, failed: undefined } } })
  t.same(build([{ action: send('fail') }]).records, [])
})

t.test('create makes the initial state, once', async t => {
  const batch = build([{ action: { type: 'create' } }, { action: { type: 'create' } }])
  t.same(kindsOf(batch), ['create'])
  t.equal(codeOf(batch, 1), 'committed')
  t.equal(codeOf(batch, 2), 'FANFOLD_EXISTS')
})

t.test('delete ends the document for good', async t => {
  const batch = build([{}, { action: { type: 'delete' } }, {}, { action: { type: 'create' } }], {
    committed: created(),
    claimed: 1,
  })
  t.same(kindsOf(batch), ['delta', 'delete'])
  t.match(batch, { isDeleted: true, state: undefined, stateBytes: 0 })
  t.same([codeOf(batch, 3), codeOf(batch, 4)], ['FANFOLD_DELETED', 'FANFOLD_DELETED'])
  t.equal(codeOf(build([{ action: { type: 'delete' } }])), 'FANFOLD_NO_DOCUMENT')
})

t.test('the first commit of a new epoch claims it, in the same batch', async t => {
  const batch = build([{}, {}], { committed: created(), logEpoch: 4 })
  t.same(kindsOf(batch), ['claim', 'delta', 'delta'])
  t.ok(batch.records.every(({ epoch }) => epoch === 5))
  t.equal(batch.records[0]?.payload(partTags.public), undefined)
  t.same(kindsOf(build([{}], { committed: created(), claimed: 5, logEpoch: 5 })), ['delta'])
})

t.test('a handler that throws changes nothing, and the others of the batch commit', async t => {
  const batch = build([{}, { action: send('fail') }, {}], { committed: created(), claimed: 1 })
  t.same(kindsOf(batch), ['delta', 'delta'])
  t.match(batch.state, { goals: { home: 2, failed: undefined } })
  t.match(answers(batch).get(2), { code: 'FANFOLD_HANDLER_FAILED', message: /not today/ })
})

t.test('a message without effect makes a record only for its id', async t => {
  const nothing = { action: send('nothing') }
  const silent = build([nothing], { committed: created(), claimed: 1 })
  t.same(silent.records, [])
  t.match(answers(silent).get(1), { kind: 'committed', epoch: 1, seq: 1 })
  const named = build([{ ...nothing, id: 'a1' }], { committed: created(), claimed: 1 })
  t.same(named.records.map(decodeChange), [{ kind: 'delta', patch: [] }])
})

t.test('the same id twice in a batch commits once and is answered the same', async t => {
  const batch = build([{ id: 'a1' }, { id: 'a1' }, { id: 'a1', subject: 'bob' }])
  t.same(kindsOf(batch), ['create', 'delta', 'delta'])
  t.same(answers(batch).get(2), answers(batch).get(1))
  t.equal(batch.immediate.length, 0, 'not before it is durable')
})

t.test('an id that was committed is answered at once, whatever has happened since', async t => {
  const document = committed(build([{ id: 'a1' }, { id: 'd1', action: { type: 'delete' } }]))
  const batch = build([{ id: 'a1' }, { id: 'd1' }, {}], { committed: document, claimed: 1 })
  t.match(batch.immediate, [
    { request: 1, answer: { kind: 'committed', seq: 2 } },
    { request: 2, answer: { kind: 'committed', seq: 3 } },
    { answer: { code: 'FANFOLD_DELETED' } },
  ])
})

t.test('what the definition does not know is refused', async t => {
  const context = contextOf()
  const wrong = { action: send('goal', { team: 3 }) }
  t.equal(codeOf(build([wrong])), 'FANFOLD_INVALID_VALUE')
  context.definition = undefined
  t.equal(codeOf(build([{}], { context })), 'FANFOLD_NO_DEFINITION')
  t.equal(codeOf(build([{ action: { type: 'create' } }], { context })), 'FANFOLD_NO_DEFINITION')
})

t.test('a change that is too large for a record, or for the state, changes nothing', async t => {
  const start = { committed: created(), claimed: 1 }
  const large = { action: send('text', { bytes: 1_100_000 }) }
  const batch = build([large, {}], start)
  t.equal(codeOf(batch), 'FANFOLD_TOO_LARGE')
  t.match(batch.state, { goals: { home: 1 }, texts: [] })
  const context = contextOf({ stateBytesMax: 5_000 })
  const tight = build([{ action: send('text', { bytes: 6_000 }) }, {}], { ...start, context })
  t.equal(codeOf(tight), 'FANFOLD_TOO_LARGE')
  t.match(tight.state, { texts: [] })
})

t.test('a batch is full at its count of writes, or at its bytes', async t => {
  const start = { doc, committed: created(), epochs: epochsOf(1, 1) }
  const isFull = (count: number, limits: Parameters<typeof contextOf>[0]): boolean => {
    const context = contextOf(limits)
    const builder = new BatchBuilder({ ...start, context, loaded: context.loadedFor('match') })
    for (let request = 1; request <= count; request++) {
      builder.add(write({ request: request as RequestId }))
    }
    return builder.isFull
  }
  t.notOk(isFull(2, { writesPerBatchMax: 3 }))
  t.ok(isFull(3, { writesPerBatchMax: 3 }))
  t.notOk(isFull(0, { batchBytesMax: 1 }))
  t.ok(isFull(1, { batchBytesMax: 1 }))
})

t.test('undone, newest first, the state is what it was', async t => {
  const document = created()
  const before = JSON.stringify(document.state)
  const batch = build([{}, { action: send('text', { bytes: 5 }) }, {}, { action: send('see') }], {
    committed: document,
    claimed: 1,
  })
  t.not(JSON.stringify(document.state), before, 'the state is changed in place')
  for (const undo of batch.undos.toReversed()) undo()
  t.equal(JSON.stringify(document.state), before)
})

t.test('a handler sees who wrote and the commit time, which never goes back', async t => {
  const see = { action: send('see') }
  const batch = build([
    { ...see, timeMs: startMs + 9 },
    { ...see, timeMs: startMs, subject: 'bob' },
  ])
  t.match(batch.state, { seen: { subject: 'bob', timeMs: startMs + 9 } })
  t.equal(match.type, 'match')
})
