import { buildLog, sha256 } from '@fanfold/conformance'
import { type Duration, instant, milliseconds, Prng } from '@fanfold/kernel'
import { parseDocumentKey, type WriteAnswer, type WriterInput } from '@fanfold/protocol'
import t from 'tap'
import { History } from '../src/history.ts'
import { ModelWriters, type WriterDoor } from '../src/model-writer.ts'
import { Problems } from '../src/problems.ts'
import { Tally } from '../src/tally.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const doc = parseDocumentKey('acme/match/final')
const committed = (seq: number): WriteAnswer => ({ kind: 'committed', epoch: 1, seq })
const rejected = (
  code: 'FANFOLD_NO_DOCUMENT' | 'FANFOLD_HANDLER_FAILED' | 'FANFOLD_DELETED',
): WriteAnswer => ({
  kind: 'rejected',
  code,
  message: 'why',
})

/** Writers whose messages are answered by `answers`, one after the other. */
function makeWriters(answers: WriteAnswer[]) {
  const clock = new VirtualClock()
  const problems = new Problems(clock)
  const inputs: WriterInput[] = []
  const tally = new Tally()
  const door: WriterDoor = {
    name: 'authority',
    isListening: true,
    write: input => {
      inputs.push(input)
      const answer = answers.shift()
      if (answer === undefined) return
      writers.answered({ kind: 'write-answered', request: input.request, answer })
    },
    wallMs: () => clock.wallMs,
    leadsTo: () => undefined,
  }
  const writers: ModelWriters = new ModelWriters({
    clock,
    prng: new Prng('writers'),
    problems,
    tally,
    profile: { delayMin: milliseconds(1), delayMean: 0 as Duration, bytesPerSecond: 1_000_000 },
    doors: [door],
  })
  const plan = (...sendAtMs: number[]) =>
    writers.plan('writer', {
      doc,
      action: { type: 'send', message: 'goal', value: {} },
      mayCreate: false,
      sendAt: sendAtMs.map(ms => instant(ms * 1000)),
    })
  const run = () => clock.runUntil(instant(60_000_000))
  return { clock, problems, inputs, tally, door, writers, plan, run }
}

t.test('a message is sent at its time, with its id, and answered', async t => {
  const { inputs, writers, problems, plan, run } = makeWriters([committed(3)])
  plan(10)
  t.notOk(writers.isDone)
  run()
  t.match(inputs, [{ kind: 'write', doc, id: 'writer-0', subject: 'writer' }])
  t.ok(writers.isDone)
  t.equal(writers.committed(doc).length, 1)
  t.same(problems.messages, [])
})

t.test('a message that is sent again has the same id, and must have the same answer', async t => {
  const { inputs, writers, problems, plan, run } = makeWriters([committed(3), committed(4)])
  plan(10, 20)
  run()
  t.equal(new Set(inputs.map(({ id }) => id)).size, 1)
  t.equal(writers.committed(doc).length, 1)
  t.match(problems.messages, [/answered committed at 1:3, then committed at 1:4/])
})

t.test('a message that comes too soon is sent again until it is taken', async t => {
  const early = rejected('FANFOLD_NO_DOCUMENT')
  const { inputs, writers, problems, plan, run } = makeWriters([early, early, committed(2)])
  plan(10)
  run()
  t.equal(inputs.length, 3)
  t.equal(writers.committed(doc).length, 1)
  t.same(problems.messages, [])
})

t.test('an answer that nobody waits for is a problem', async t => {
  const { inputs, writers, problems, plan, run } = makeWriters([committed(2)])
  plan(10)
  run()
  const request = inputs[0]?.request
  t.ok(request !== undefined)
  if (request === undefined) return
  writers.answered({ kind: 'write-answered', request, answer: committed(2) })
  t.match(problems.messages, [/request 1 was answered, and nobody waits/])
})

t.test('the audit finds what is missing, doubled, or there and rejected', async t => {
  const { writers, problems, plan, run } = makeWriters([
    committed(2),
    rejected('FANFOLD_HANDLER_FAILED'),
  ])
  plan(10)
  plan(20)
  plan(30)
  run()
  t.notOk(writers.isDone)
  const history = new History(sha256, problems)
  history.recordsAreDurable(doc, buildLog({ doc, count: 2 }).records)
  writers.audit(history)
  t.match(problems.messages, [
    /writer-2 .* never answered/,
    /lost: .* writer-0 was acknowledged at 1:2/,
  ])
})

t.test(
  'what was refused once and lost afterwards is unknown until it is refused again',
  async t => {
    for (const isRefusedAgain of [false, true]) {
      const refusal = rejected('FANFOLD_HANDLER_FAILED')
      const { clock, inputs, problems, tally, door, writers, plan, run } = makeWriters([refusal])
      plan(10, 200)
      clock.at(instant(300_000), () => writers.lost(door))
      clock.runUntil(instant(350_000))
      t.equal(inputs.length, 2, 'the second one was not answered')
      // It is sent again, for as long as the writer does not give it up.
      run()
      const last = inputs.at(-1)
      t.equal(inputs.length, 3)
      if (isRefusedAgain && last !== undefined) {
        writers.answered({ kind: 'write-answered', request: last.request, answer: refusal })
        clock.runUntil(instant(61_000_000))
      }
      writers.audit(new History(sha256, problems))
      t.same(problems.messages, [])
      t.equal(tally.count('unknown write is not in'), isRefusedAgain ? 0 : 1)
    }
  },
)

t.test('what comes too late for a document is not sent again', async t => {
  const { inputs, writers, plan, run } = makeWriters([rejected('FANFOLD_DELETED')])
  plan(10)
  run()
  t.equal(inputs.length, 1)
  t.ok(writers.isDone)
  t.equal(writers.committed(doc).length, 0)
})

/** Writers with two authorities to go to; each answers by what the test says. */
function makeTwoDoors(led: 'one' | 'two' | undefined) {
  const clock = new VirtualClock()
  const problems = new Problems(clock)
  const came: string[] = []
  const down = new Set<string>()
  let moved: 'one' | 'two' | undefined
  const doorOf = (name: 'one' | 'two'): WriterDoor => ({
    name,
    get isListening() {
      return !down.has(name)
    },
    write: ({ request, id }) => {
      came.push(`${id} at ${name}`)
      if (down.has(name)) return
      const answer: WriteAnswer =
        moved === name ? { kind: 'rejected', code: 'FANFOLD_MOVED', message: '' } : committed(1)
      writers.answered({ kind: 'write-answered', request, answer })
    },
    wallMs: () => clock.wallMs,
    leadsTo: () => led,
  })
  const doors = [doorOf('one'), doorOf('two')]
  const writers: ModelWriters = new ModelWriters({
    clock,
    prng: new Prng('writers'),
    problems,
    profile: { delayMin: milliseconds(1), delayMean: 0 as Duration, bytesPerSecond: 1_000_000 },
    doors,
  })
  const plan = (atMs: number): void =>
    writers.plan('writer', {
      doc,
      action: { type: 'send', message: 'goal', value: {} },
      mayCreate: false,
      sendAt: [instant(atMs * 1000)],
    })
  const setMoved = (from: 'one' | 'two'): void => {
    moved = from
  }
  return { clock, came, down, doors, writers, plan, setMoved }
}

t.test('what is elsewhere is sent there, and what comes after it too', async t => {
  const { clock, came, writers, plan, setMoved } = makeTwoDoors('two')
  setMoved('one')
  plan(10)
  plan(1_000)
  clock.runUntil(instant(5_000_000))
  t.same(came, ['writer-0 at one', 'writer-0 at two', 'writer-1 at two'])
  t.ok(writers.isDone)
})

t.test('what went out to one that is gone is sent to another', async t => {
  const { clock, came, down, doors, writers, plan } = makeTwoDoors(undefined)
  const [one] = doors
  plan(10)
  clock.at(instant(11_000), () => {
    down.add('one')
    if (one !== undefined) writers.lost(one)
  })
  clock.runUntil(instant(5_000_000))
  t.same(came.slice(-1), ['writer-0 at two'])
  t.ok(writers.isDone)
})
