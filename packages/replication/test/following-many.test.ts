import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { askingWindow } from '../src/asking-line.ts'
import { first, Rig, second, welcome } from './following-rig.ts'

const keys: readonly DocumentKey[] = Array.from({ length: 1_200 }, (_, index) =>
  parseDocumentKey(`acme/match/m${index}`),
)

/** A node that follows very many documents, and waits for their parent's answers. */
function following(): Rig {
  const rig = new Rig()
  rig.open()
  for (const key of keys) rig.follow(key)
  rig.effects()
  return rig
}

/** Documents that a parent was asked for in the turn under way, or since. */
const joined = (rig: Rig, to: typeof first): DocumentKey[] =>
  rig.sent(to).flatMap(frame => (frame.kind === 'join' ? [frame.doc] : []))

/** The parent answers for these documents. */
const answer = (rig: Rig, from: typeof first, asked: readonly DocumentKey[]): void =>
  rig.take(
    asked.map(key => welcome('snapshot', keys.indexOf(key), key)),
    from,
  )

/** Joins sent to a parent, which answers at once, in each of so many turns that take no time, the one under way included. */
const joinsByTurn = (rig: Rig, to: typeof first, turns: number): number[] =>
  Array.from({ length: turns }, (_, turn) => {
    if (turn > 0) rig.pass(0)
    const asked = joined(rig, to)
    answer(rig, to, asked)
    return asked.length
  })

t.test('very many documents move to another parent in turns', async t => {
  const rig = following()
  rig.open(second)
  rig.effects()
  rig.close(first)
  t.equal(rig.following.wakeAt(), rig.now)
  t.same(joinsByTurn(rig, second, 3), [512, 512, 176])
  t.not(rig.following.wakeAt(), rig.now)
})

t.test('without another parent they are detached in turns, and joined again in turns', async t => {
  const rig = following()
  const stale = [0, 1, 2].map(turn => {
    if (turn === 0) rig.close(first)
    else rig.pass(0)
    return rig.following.staleCount
  })
  t.same(stale, [512, 1_024, 1_200])
  rig.open(second)
  t.same(joinsByTurn(rig, second, 3), [512, 512, 176])
})

t.test('a parent that comes while documents wait for their turn serves them all', async t => {
  const rig = following()
  rig.close(first)
  rig.open(second)
  const joins = joinsByTurn(rig, second, 5)
  t.equal(
    joins.reduce((sum, count) => sum + count),
    1_200,
    'each joins once',
  )
  t.ok(joins.every(count => count <= 512))
})

t.test('who waits for its turn asks nothing of a parent that is gone', async t => {
  const rig = following()
  rig.open(second)
  rig.close(first)
  for (const key of keys) t.equal(rig.linkFor(key), second)
  rig.close(second)
  for (const key of keys) t.equal(rig.linkFor(key), undefined)
})

t.test('a parent that says that it goes is left in turns', async t => {
  const rig = following()
  rig.open(second)
  rig.effects()
  rig.take([{ kind: 'signal', signal: 'hand-over', doc: undefined, value: 0 }])
  t.same(joinsByTurn(rig, second, 3), [512, 512, 176])
})

t.test('who is let go while it waits for its turn is not joined', async t => {
  const rig = following()
  rig.open(second)
  rig.effects()
  rig.close(first)
  for (const key of keys.slice(600)) rig.unfollow(key)
  answer(rig, second, joined(rig, second))
  rig.pass(0)
  t.equal(joinsByTurn(rig, second, 2)[0], 88)
})

t.test('a parent is asked for no more documents at a time than it answers', async t => {
  const rig = new Rig()
  rig.open()
  for (const key of keys) rig.follow(key)
  const asked = joined(rig, first)
  t.same(asked, keys.slice(0, askingWindow.first))
  t.not(rig.following.wakeAt(), rig.now, 'the others wait for answers')
  answer(rig, first, asked.slice(0, 10))
  t.equal(rig.following.wakeAt(), rig.now)
  rig.pass(0)
  t.same(joined(rig, first), keys.slice(512, 532), 'each answer makes room for two')
})

t.test('a parent that does not answer is asked for a few documents until it does', async t => {
  const rig = following()
  rig.pass(2_000)
  rig.pass(0)
  rig.pass(0)
  const asked = joined(rig, first)
  t.equal(asked.length, askingWindow.min)
  t.ok(
    asked.every(key => keys.indexOf(key) >= 512),
    'those that have yet to be asked for',
  )
  let count = 0
  for (let next = asked; next.length > 0; next = joined(rig, first)) {
    count += next.length
    answer(rig, first, next)
    rig.pass(0)
  }
  t.equal(count, 1_200, 'then it is asked for all')
})

t.test('who is let go while it waits for its turn to ask is not asked for', async t => {
  const rig = new Rig()
  rig.open()
  for (const key of keys) rig.follow(key)
  const asked = joined(rig, first)
  for (const key of keys.slice(512, 1_190)) rig.unfollow(key)
  answer(rig, first, asked)
  rig.pass(0)
  t.same(joined(rig, first), keys.slice(1_190))
  rig.close()
  t.equal(rig.following.wakeAt(), rig.now, 'only the parting takes more turns')
})

t.test('very many documents that nobody wants are let go in turns', async t => {
  const rig = following()
  for (const key of keys) rig.following.release(key, rig.now)
  rig.told.length = 0
  rig.pass(1_000)
  t.equal(rig.events().length, 512)
  rig.pass(0)
  rig.pass(0)
  t.equal(rig.events().length, 688)
})
