import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { AskedParents } from '../src/asked-parents.ts'
import { askingWindow } from '../src/asking-line.ts'
import { at, link } from './build-stream.ts'
import { from, head, refused, welcome } from './upstream-rig.ts'

const keys = Array.from({ length: askingWindow.first + 20 }, (_, index) =>
  parseDocumentKey(`acme/match/m${index}`),
)

function askedForAll(): AskedParents {
  const asked = new AskedParents(2_000)
  for (const key of keys) asked.ask(link(1), key, at(0))
  return asked
}

t.test('each parent is asked at its own pace', async t => {
  const asked = askedForAll()
  const [late = keys[0]] = keys.slice(-1)
  if (late === undefined) throw new Error('there are some')
  t.notOk(asked.ask(link(1), late, at(0)))
  t.ok(asked.ask(link(2), late, at(0)))
})

t.test('who waits is due as others are answered, so many at most', async t => {
  const asked = askedForAll()
  t.notOk(asked.isDue)
  for (const key of keys.slice(0, 10)) asked.answered(link(1), key, at(1))
  t.ok(asked.isDue)
  const due: unknown[] = []
  for (const key of asked.due(3)) {
    due.push(key)
    asked.ask(link(1), key, at(1))
  }
  t.same(due, keys.slice(askingWindow.first, askingWindow.first + 3))
})

t.test('what comes by itself, or at once whatever waits, shows nothing of the link', async t => {
  const asked = new AskedParents(2_000)
  const heard = (): number => asked.patience(link(1)).overdueAt(at(0), 2_000)
  asked.heard(link(1), { kind: 'signal', signal: 'head', doc: keys[0], value: 1 }, at(500))
  asked.heard(link(1), { kind: 'status', channel: 7, stale: true, ageMs: 1 }, at(500))
  asked.heard(link(1), { kind: 'no-variant', hash: new Uint8Array(32) }, at(500))
  t.equal(heard(), at(2_000))
  for (const [index, frame] of [
    welcome('tail', head),
    from(1, 2),
    refused('FANFOLD_NO_PARENT'),
  ].entries()) {
    asked.heard(link(1), frame, at(600 + index))
    t.equal(heard(), at(2_600 + index))
  }
})

t.test('of a link that is gone nothing is kept', async t => {
  const asked = askedForAll()
  for (const key of keys.slice(0, 10)) asked.answered(link(1), key, at(1))
  asked.retain([link(2)])
  t.notOk(asked.isDue)
  asked.leave(link(1), keys[0] ?? parseDocumentKey('acme/match/m0'))
  t.notOk(asked.isDue)
})
