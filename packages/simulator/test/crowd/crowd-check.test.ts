import { sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import { instant } from '@fanfold/kernel'
import {
  encodeRecord,
  type LogRecord,
  parseDocumentKey,
  partTags,
  saltBytes,
  zeroHash,
} from '@fanfold/protocol'
import { encodeEntry, type LedgerEntry } from '@fanfold/reduction'
import t from 'tap'
import { CrowdCheck } from '../../src/crowd/crowd-check.ts'
import { Problems } from '../../src/problems.ts'
import { Tally } from '../../src/tally.ts'
import { VirtualClock } from '../../src/virtual-clock.ts'
import { addOf, aggregateOf, range } from './said-sums.ts'

const doc = parseDocumentKey('acme/board/0')
const session = 71
const edge = { node: 'edge-0', incarnation: '1', region: '', roles: ['edge'], ceiling: 255 }
const upward = { kind: 'crowd', doc, number: 1, asked: 0 } as const
const salt = new Uint8Array(saltBytes)

/** A record of this epoch that says so much of crowds. */
function recordOf(seq: number, entry: Partial<LedgerEntry> | undefined): LogRecord {
  const whole = { opened: [], sealed: [], counted: [], ...entry }
  const parts = entry && [{ tag: partTags.crowd, salt, payload: encodeEntry(whole) }]
  const bytes = encodeRecord({
    kind: 'delta',
    key: doc,
    epoch: 1,
    seq,
    timeMs: 0,
    trace: undefined,
    parts: parts ?? [],
  })
  return new Chain(sha256).seal(bytes, zeroHash)
}

function makeCheck() {
  const problems = new Problems(new VirtualClock())
  const tally = new Tally()
  let now = instant(0)
  const check = new CrowdCheck({ problems, tally, clockDriftShare: 0, now: () => now })
  const ear = check.ear('edge-0')
  let seq = 0
  const record = (entry: Partial<LedgerEntry> | undefined, said: Record<string, number>) => {
    now = instant(now + 1_000_000)
    check.recorded(doc, recordOf(++seq, entry), { said })
  }
  const say = (name: string) => {
    check.said({ viewer: 'viewer-0', doc, reducer: 'said', name, operand: name, hasId: true })
  }
  const hear = (name: string) => {
    say(name)
    ear.asks(addOf(doc, name))
    ear.note({ event: 'crowd-heard', doc })
  }
  const goUp = (name: string, upTo = 1) =>
    check.goesUp(edge, {
      ...upward,
      aggregate: aggregateOf([range(session, upTo - 1, upTo)], [name]),
    })
  const settle = (outcome: 'counted' | 'unknown' | 'lost') =>
    ear.note({ event: 'crowd-settled', doc, outcome, messages: 1 })
  const tell = (type: 'counted' | 'unknown', id: string) =>
    check.tells('viewer-0', { type, doc, id })
  record({ opened: [session] }, {})
  return { check, ear, record, say, hear, goUp, settle, tell, problems }
}

t.test('what counts once, and is told so, is as it is to be', async t => {
  const { check, record, hear, goUp, settle, tell, problems } = makeCheck()
  hear('a')
  t.match(check.unfinished, /what viewer-0 has said, a, is not counted/)
  goUp('a')
  record({ counted: [range(session, 0, 1)] }, { a: 1 })
  settle('counted')
  tell('counted', 'a')
  t.equal(check.unfinished, undefined)
  check.audit()
  t.same(problems.messages, [])
})

t.test('what is told to count, and does not, is found at once', async t => {
  const { hear, goUp, settle, tell, problems } = makeCheck()
  hear('a')
  goUp('a')
  settle('counted')
  tell('counted', 'a')
  t.match(problems.messages, [
    /a of acme.board.0 is counted for its edge, and counts 0/,
    /told counted of a, which counted and counts 0/,
  ])
})

t.test('a record that changes something else than its windows say is found', async t => {
  const { record, hear, goUp, problems } = makeCheck()
  hear('a')
  goUp('a')
  record({ counted: [range(session, 0, 1)] }, {})
  record(undefined, { a: 1 })
  record(undefined, { a: 2 })
  t.match(problems.messages, [/record 2 said a counts 0 times/, /record 4 said a counts 2 times/])
})

t.test('windows that are counted twice, or were never said, are found', async t => {
  const { record, hear, goUp, problems } = makeCheck()
  hear('a')
  goUp('a')
  record({ counted: [range(session, 0, 1)] }, { a: 1 })
  record({ counted: [range(session, 0, 1)] }, { a: 2 })
  record({ counted: [range(session, 1, 2)] }, { a: 2 })
  t.match(problems.messages, [/counted up to 1/, /no edge has said 2 to 2/])
})

t.test('more counts in a while than any budget allows are found', async t => {
  const problems = new Problems(new VirtualClock())
  let now = instant(0)
  const check = new CrowdCheck({
    problems,
    tally: new Tally(),
    clockDriftShare: 0,
    now: () => now,
  })
  const countAt = (seq: number, ms: number) => {
    now = instant(ms * 1_000)
    check.recorded(doc, recordOf(seq, { opened: [seq] }), {})
  }
  countAt(1, 0)
  countAt(2, 1)
  countAt(3, 21)
  t.same(problems.messages, [], 'the one before may have been late')
  countAt(4, 22)
  t.match(problems.messages, [/4 counts within 22000/])
})

t.test('what nobody can tell of may count once at most, and what was rejected never', async t => {
  const { check, ear, record, say, hear, goUp, settle, problems } = makeCheck()
  hear('a')
  goUp('a')
  record({ counted: [range(session, 0, 1)] }, { a: 1 })
  settle('unknown')
  hear('b')
  ear.ends()
  say('c')
  ear.asks(addOf(doc, 'c'))
  ear.note({ event: 'crowd-rejected', doc, code: 'FANFOLD_BUSY' })
  check.audit()
  t.same(problems.messages, [])
  goUp('c', 2)
  record({ counted: [range(session, 1, 2)] }, { a: 1, c: 1 })
  check.audit()
  t.match(problems.messages, [/c of acme.board.0, which is rejected, counts 1 times/])
})

t.test('what was heard and does not count in the end is found', async t => {
  const { check, hear, problems } = makeCheck()
  hear('a')
  check.audit()
  t.match(problems.messages, [/a of acme.board.0, which is heard, counts 0 times/])
})

t.test('what counts and was never said is found', async t => {
  const { check, record, hear, goUp, problems } = makeCheck()
  hear('a')
  goUp('b')
  record({ counted: [range(session, 0, 1)] }, { b: 1 })
  check.audit()
  t.match(problems.messages, [/a of/, /b counts in acme.board.0, which nobody has said of it/])
})

t.test('who is told twice, or of what it has not said, is found', async t => {
  const { record, hear, goUp, settle, tell, problems } = makeCheck()
  hear('a')
  goUp('a')
  record({ counted: [range(session, 0, 1)] }, { a: 1 })
  settle('counted')
  tell('counted', 'a')
  tell('counted', 'a')
  tell('counted', 'z')
  t.match(problems.messages, [/is told counted of a, and was told counted/, /told of z, which/])
})
