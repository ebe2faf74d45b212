import { sha256 } from '@fanfold/conformance'
import { instant } from '@fanfold/kernel'
import { parseDocumentKey, type RequestId, type WriterEffect } from '@fanfold/protocol'
import t from 'tap'
import { openRules } from '../src/board-rules.ts'
import { completeOptions } from '../src/simulation-options.ts'
import { World } from '../src/world.ts'

const doc = parseDocumentKey('acme/board/final')

/** An authority with a proxy and an edge that want nothing, and what writers hear of it. */
function makeAuthority(seed = 'authority') {
  const options = completeOptions({ proxies: 1, edges: 1, viewers: 0, writes: 0 })
  const world = new World(seed, options, sha256)
  const answers: WriterEffect[] = []
  let losses = 0
  world.authority.answerTo({ answered: effect => answers.push(effect), lost: () => losses++ })
  let requests = 0
  const write = (id: string): void => {
    world.authority.write({
      kind: 'write',
      request: ++requests as RequestId,
      doc,
      action: { type: 'send', message: 'title', value: { title: id } },
      id,
      subject: 'writer',
      claims: {},
      mayCreate: true,
      timeMs: 0,
      trace: undefined,
    })
  }
  const pass = (ms: number) => {
    world.clock.runUntil(instant(world.clock.now + ms * 1_000))
    return answers.splice(0).map(({ answer }) => answer)
  }
  return { world, authority: world.authority, write, pass, losses: () => losses }
}

t.test('a write is answered, and one for which there is no definition is refused', async t => {
  const { world, write, pass } = makeAuthority()
  write('early')
  t.match(pass(1_000), [{ kind: 'rejected', code: 'FANFOLD_NO_DEFINITION' }])
  world.define(openRules)
  write('one')
  t.match(pass(1_000), [{ kind: 'committed', epoch: 1 }])
})

t.test('logs and the definition outlive a process', async t => {
  const { world, authority, write, pass } = makeAuthority()
  world.define(openRules)
  write('one')
  const [before] = pass(1_000)
  authority.node.stop()
  authority.node.start()
  write('one')
  write('two')
  const [again, next] = pass(1_000)
  t.same(again, before, 'the same write has its answer')
  t.match(next, { kind: 'committed', epoch: 2 })
})

t.test('a definition that comes while the process is gone counts for the next one', async t => {
  const { world, authority, write, pass } = makeAuthority()
  authority.node.stop()
  world.define(openRules)
  authority.node.start()
  write('one')
  t.match(pass(1_000), [{ kind: 'committed' }])
})

t.test('writers hear that the process is gone, and one that is gone takes no write', async t => {
  const { world, authority, write, pass, losses } = makeAuthority()
  world.define(openRules)
  write('under way')
  authority.node.stop()
  t.equal(losses(), 1)
  write('late')
  t.same(pass(1_000), [])
})

t.test('what was not answered at a crash is in the log or not, and is counted', async t => {
  let kept = 0
  let lost = 0
  for (let number = 0; number < 40; number++) {
    const { world, authority, write, pass } = makeAuthority(`crash ${number}`)
    world.define(openRules)
    write('under way')
    const answers = pass(number / 8)
    authority.node.stop()
    const { tally, history } = world
    kept += tally.count('un-acknowledged records kept')
    lost += tally.count('un-acknowledged records lost')
    if (answers.length === 0) continue
    t.ok(history.headSeq(doc) > 0, 'what was answered is there')
    t.equal(tally.count('un-acknowledged records lost'), 0)
  }
  t.ok(kept > 0, `${kept} kept`)
  t.ok(lost > 0, `${lost} lost`)
})
