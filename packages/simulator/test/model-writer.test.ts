import { buildLog, sha256 } from '@fanfold/conformance'
import { type Duration, instant, milliseconds, Prng } from '@fanfold/kernel'
import { parseDocumentKey, type WriteAnswer, type WriterInput } from '@fanfold/protocol'
import t from 'tap'
import { History } from '../src/history.ts'
import { ModelWriters } from '../src/model-writer.ts'
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
  const writers: ModelWriters = new ModelWriters({
    clock,
    prng: new Prng('writers'),
    problems,
    tally,
    profile: { delayMin: milliseconds(1), delayMean: 0 as Duration, bytesPerSecond: 1_000_000 },
    receive: input => {
      inputs.push(input)
      const answer = answers.shift()
      if (answer === undefined) return
      writers.answered({ kind: 'write-answered', request: input.request, answer })
    },
  })
  const plan = (...sendAtMs: number[]) =>
    writers.plan('writer', {
      doc,
      action: { type: 'send', message: 'goal', value: {} },
      mayCreate: false,
      sendAt: sendAtMs.map(ms => instant(ms * 1000)),
    })
  const run = () => clock.runUntil(instant(60_000_000))
  return { clock, problems, inputs, tally, writers, plan, run }
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
      const { clock, inputs, problems, tally, writers, plan, run } = makeWriters([refusal])
      plan(10, 200)
      clock.at(instant(300_000), () => writers.lost())
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
