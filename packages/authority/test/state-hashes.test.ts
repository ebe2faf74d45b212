/* What an authority says of a state to children that ask: hashes of what its log has, now and then. */
import { sha256 } from '@fanfold/conformance'
import { hashState } from '@fanfold/document'
import type { LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { child, Rig } from './build-authority.ts'
import { doc, framesOf, link, replicaOf } from './build-document.ts'

const ask = { kind: 'request-state-hash', doc } as const
const none = { kind: 'state-hash', doc, hashes: [] } as const

/** What a child is told that asks now. */
function asks(rig: Rig, id = child, ms = 1): LinkFrame[] {
  rig.effects()
  rig.frame(ask, id)
  rig.passTo(rig.nowMs + ms)
  return framesOf(rig.effects(), id).filter(({ kind }) => kind === 'state-hash')
}

t.test('a child is told the hashes of the state that its records make', async t => {
  const rig = new Rig()
  rig.write()
  rig.join()
  const replica = replicaOf(framesOf(rig.effects()))
  const hashes = hashState({
    state: replica.state() ?? {},
    definition: replica.definition,
    sha256,
  })
  t.same(asks(rig), [
    { kind: 'state-hash', doc, ceiling: 239, at: replica.position, hashes: hashes ?? [] },
  ])
})

t.test('one state is hashed in so long, but what was hashed is told to all', async t => {
  const rig = new Rig({ stateHashEveryMs: 1_000 })
  rig.write()
  for (const id of [child, link(2)]) {
    rig.join(doc, 239, id)
    t.match(asks(rig, id), [{ hashes: { length: 1 } }])
  }
  rig.write()
  t.match(asks(rig), [none])
  rig.passTo(2_000)
  t.match(asks(rig), [{ hashes: { length: 1 } }])
})

t.test('of a large state there is none', async t => {
  const rig = new Rig({ stateHashBytesMax: 10 })
  rig.write()
  rig.join()
  t.match(asks(rig), [none])
})

t.test('of a document that it has not joined a child is told nothing', async t => {
  const rig = new Rig()
  rig.write()
  t.same(asks(rig), [])
})
