import t from 'tap'
import { DocumentCrowd, type SettledWindow } from '../src/document-crowd.ts'
import { cheers, reducerOf } from './crowd-rig.ts'
import { viewer } from './edge-log.ts'

const voice = { id: 'ada', timeMs: 0, stamp: 0, draw: () => 0 }
const saying = { name: 'cheer', reducer: reducerOf(cheers), operand: 'home', voice }

/** A crowd, and what became of its windows. */
function crowdOf() {
  const settled: SettledWindow[] = []
  const crowd = new DocumentCrowd({
    settled: window => settled.push(window),
    failed: error => {
      throw error
    },
  })
  return { crowd, settled }
}

t.test('what a viewer waits for is one list in each window, and goes with the viewer', async t => {
  const { crowd, settled } = crowdOf()
  for (const id of [1, 2]) crowd.fold(saying, { viewer: viewer(1), id })
  crowd.fold(saying, { viewer: viewer(2), id: 1 })
  crowd.fold(saying, undefined)
  crowd.forget(viewer(2))
  t.same(crowd.next(), { asked: 1, aggregate: undefined })
  crowd.answered({ sessions: [5], standings: [] })
  crowd.next()
  crowd.fold(saying, { viewer: viewer(1), id: 3 })
  crowd.answered({
    sessions: [],
    standings: [{ session: 5, state: 'open', upTo: 1 }],
  })
  t.same(settled, [{ outcome: 'counted', messages: 4, ids: new Map([[viewer(1), [1, 2]]]) }])
  t.notOk(crowd.isIdle, 'the next window is open')
})

t.test(
  'what is given up is lost, once, and what is said then is of a session of its own',
  async t => {
    const { crowd, settled } = crowdOf()
    crowd.fold(saying, { viewer: viewer(1), id: 1 })
    crowd.giveUp()
    crowd.giveUp()
    t.match(settled, [{ outcome: 'lost', messages: 1 }])
    t.ok(crowd.isIdle)
    crowd.answered({
      sessions: [],
      standings: [{ session: 5, state: 'open', upTo: 1 }],
    })
    t.equal(settled.length, 1, 'an answer that comes late is to nothing')
    crowd.fold(saying, undefined)
    t.same(crowd.next(), { asked: 1, aggregate: undefined })
  },
)
