import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { first, Rig, second } from './following-rig.ts'

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

/** Joins sent to a parent in each of so many turns that take no time, the one under way included. */
const joinsByTurn = (rig: Rig, to: typeof first, turns: number): number[] =>
  Array.from({ length: turns }, (_, turn) => {
    if (turn > 0) rig.pass(0)
    return rig.sent(to).filter(({ kind }) => kind === 'join').length
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
  for (const key of keys) t.equal(rig.following.parentOf(key), second)
  rig.close(second)
  for (const key of keys) t.equal(rig.following.parentOf(key), undefined)
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
  rig.effects()
  rig.pass(0)
  t.equal(joinsByTurn(rig, second, 2)[0], 88)
})

t.test('very many answers that do not come are missed in turns', async t => {
  const rig = following()
  rig.pass(2_000)
  const turns = [rig.sent().length]
  for (; rig.following.wakeAt() === rig.now && turns.length < 10; turns.push(rig.sent().length))
    rig.pass(0)
  t.same(turns, [512, 512, 176])
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
