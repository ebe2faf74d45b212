import { buildLog, sha256 } from '@fanfold/conformance'
import { encodeSnapshot } from '@fanfold/document'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { History } from '../src/history.ts'
import { Problems } from '../src/problems.ts'
import { VirtualClock } from '../src/virtual-clock.ts'
import { doc as board, buildWorld } from './build-world.ts'

const doc = parseDocumentKey('acme/match/final')

function makeHistory() {
  const problems = new Problems(new VirtualClock())
  return { problems, history: new History(sha256, problems) }
}

t.test('the history of a good log is told place by place', async t => {
  const { problems, history } = makeHistory()
  const log = buildLog({ doc, count: 4 })
  history.recordsAreDurable(doc, log.records)
  t.equal(history.headSeq(doc), 4)
  t.equal(history.differsAt(doc, log.end), undefined)
  t.match(history.differsAt(doc, { ...log.end, epoch: 2 }), /epoch 1 there/)
  t.match(history.differsAt(doc, { ...log.end, hash: new Uint8Array(32) }), /another hash/)
  t.match(history.differsAt(doc, { ...log.end, seq: 5 }), /ends at 4/)
  t.equal(history.stateDiffersAt(doc, 3, { n: 3 }), undefined)
  t.match(history.stateDiffersAt(doc, 3, { n: 4 }), /character 5/)
  t.match(history.stateDiffersAt(doc, 3, undefined), /no state/)
  t.same(problems.messages, [])
})

t.test('the order of members does not matter, of elements it does', async t => {
  const { history } = makeHistory()
  const log = buildLog({ doc, count: 1 })
  history.recordsAreDurable(doc, log.records)
  t.equal(history.stateDiffersAt(doc, 1, { n: 0 }), undefined)
  t.match(history.stateDiffersAt(doc, 1, { n: 0, m: [1, 2] }), /state differs/)
})

t.test('a gap, an older epoch, an older time and a wrong hash in a log are problems', async t => {
  const { problems, history } = makeHistory()
  const log = buildLog({ doc, count: 2, epoch: 3 })
  history.recordsAreDurable(doc, log.records)
  const gap = buildLog({ doc, count: 1, epoch: 2, after: { ...log.end, seq: 5 } })
  history.recordsAreDurable(doc, gap.records)
  t.match(problems.messages, [/record 6 follows record 2/, /epoch 2 follows epoch 3/])
  const older = buildLog({ doc, count: 1, epoch: 3, after: { ...log.end, seq: 0 } })
  history.recordsAreDurable(doc, older.records)
  t.ok(problems.messages.some(message => /record 1 is older than the one before/.test(message)))
  const other = buildLog({
    doc,
    count: 1,
    epoch: 3,
    after: buildLog({ doc, count: 2, seed: 'b' }).end,
  })
  history.recordsAreDurable(doc, other.records)
  t.match(problems.messages.at(-1), /chain hash of record 3 is wrong/)
})

t.test('a document that was deleted has its last state, and nothing happens to it', async t => {
  const { history, problems, records } = buildWorld(
    {},
    [{ title: 'one' }, { title: 'two' }],
    'deleted',
  )
  t.same(
    [2, 3, 4, 5].map(seq => history.isDeletedAt(board, seq)),
    [false, false, true, false],
  )
  t.equal(history.stateDiffersAt(board, 4, undefined), undefined)
  t.match(history.lastState(board), { title: 'two' })
  t.same(problems.messages, [])
  const [, , , last] = records
  const hash = last?.chainHash ?? new Uint8Array(32)
  const more = buildLog({ doc: board, count: 1, after: { epoch: 1, seq: 4, hash } })
  history.recordsAreDurable(board, more.records)
  t.match(problems.messages, [/record 5 does not apply/])
})

t.test('a kept snapshot that is not the state of its place is a problem', async t => {
  const { problems, history } = makeHistory()
  const log = buildLog({ doc, count: 3 })
  history.recordsAreDurable(doc, log.records)
  history.snapshotIsKept(
    doc,
    encodeSnapshot({ at: log.end, state: { n: 3 }, definition: undefined, sha256 }),
  )
  t.same(problems.messages, [])
  history.snapshotIsKept(
    doc,
    encodeSnapshot({ at: log.end, state: { n: 2 }, definition: undefined, sha256 }),
  )
  t.match(problems.messages, [/snapshot at 3: state differs/])
})

t.test('what a log has lost keeps its place, and what is written then has another', async t => {
  const { problems, history } = makeHistory()
  const log = buildLog({ doc, count: 4 })
  history.recordsAreDurable(doc, log.records)
  history.endIsLost(doc, { seq: 2, epoch: 1 })
  t.equal(history.headSeq(doc), 2)
  t.same(history.behind, [doc])
  const [, second] = log.records
  const at = { epoch: 1, seq: 2, hash: second?.chainHash ?? new Uint8Array(32) }
  const others = buildLog({ doc, count: 3, after: at, epoch: 2, seed: 'other' })
  history.recordsAreDurable(doc, others.records)
  t.same(history.behind, [])
  t.equal(history.differsAt(doc, log.end), undefined, 'it was there')
  t.equal(history.differsAt(doc, others.end), undefined)
  const lost = history.placeOf(doc, { epoch: 1, seq: 4 })
  const now = history.placeOf(doc, { epoch: 2, seq: 4 })
  t.equal(history.stateDiffersAt(doc, lost, { n: 4 }), undefined)
  t.match([...history.placesAt(doc, 4)], [now, lost])
  t.equal(history.placeBefore(doc, lost, 3), history.placeOf(doc, { epoch: 1, seq: 3 }))
  t.equal(history.placeBefore(doc, now, 3), history.placeOf(doc, { epoch: 2, seq: 3 }))
  t.equal(history.placeBefore(doc, now, 2), 2)
  t.ok(history.hasLost(doc, { epoch: 1, seq: 3 }))
  t.notOk(history.hasLost(doc, { epoch: 2, seq: 3 }))
  t.notOk(history.had(doc, { epoch: 1, seq: 5 }))
  t.same(history.placesLost(doc), [3, 4])
  t.same(problems.messages, [])
})

t.test('a log that loses its end and goes on under the same epoch is a problem', async t => {
  const { problems, history } = makeHistory()
  const log = buildLog({ doc, count: 3 })
  const node = { node: 'authority' }
  history.epochIsClaimed(doc, 1, node)
  history.recordsAreDurable(doc, log.records)
  history.endIsLost(doc, { seq: 2, epoch: 1 })
  const [, second] = log.records
  const at = { epoch: 1, seq: 2, hash: second?.chainHash ?? new Uint8Array(32) }
  const others = buildLog({ doc, count: 1, after: at, seed: 'other' })
  history.recordsAreDurable(doc, others.records)
  t.match(problems.messages, [/1:3 stands for two records/])
})

t.test('an epoch that a log has lost is not claimed again by who had it', async t => {
  const { problems, history } = makeHistory()
  const [first, second] = [{ node: 'authority' }, { node: 'authority-1' }]
  const log = buildLog({ doc, count: 3 })
  for (const by of [first, second]) {
    history.epochIsClaimed(doc, 1, by)
    history.recordsAreDurable(doc, log.records)
    history.endIsLost(doc, { seq: 0, epoch: 0 })
  }
  t.same(problems.messages, [], 'another one may not have heard of it')
  history.epochIsClaimed(doc, 1, first)
  t.match(problems.messages, [/epoch 1 is claimed again/])
})
