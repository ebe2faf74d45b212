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

t.test('a gap, an older epoch and a wrong hash in a log are problems', async t => {
  const { problems, history } = makeHistory()
  const log = buildLog({ doc, count: 2, epoch: 3 })
  history.recordsAreDurable(doc, log.records)
  const gap = buildLog({ doc, count: 1, epoch: 2, after: { ...log.end, seq: 5 } })
  history.recordsAreDurable(doc, gap.records)
  t.match(problems.messages, [/record 6 follows record 2/, /epoch 2 follows epoch 3/])
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
  const { history, problems } = buildWorld({}, [{ title: 'one' }, { title: 'two' }], 'deleted')
  t.same(
    [2, 3, 4, 5].map(seq => history.isDeletedAt(board, seq)),
    [false, false, true, false],
  )
  t.equal(history.stateDiffersAt(board, 4, undefined), undefined)
  t.match(history.lastState(board), { title: 'two' })
  t.same(problems.messages, [])
  const hash = history.hashAt(board, 4) ?? new Uint8Array(32)
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
