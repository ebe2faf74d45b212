import type { JsonObject } from '@fanfold/document'
import fc from 'fast-check'
import t from 'tap'
import { connect, type FanfoldError } from '../src/index.ts'
import { delta, doc, snapshot } from './frames.ts'
import { encodedFrames, openedFrames } from './pieces.ts'
import { VirtualNetwork, VirtualTime } from './virtual-world.ts'

const other = 'acme/match/other'

/** Two documents on one socket, the other one live at seq 10. */
function build() {
  const time = new VirtualTime()
  const network = new VirtualNetwork()
  const errors: FanfoldError[] = []
  const connection = connect('wss://a', {
    WebSocket: network.WebSocket,
    environment: time.environment,
    onError: error => errors.push(error),
  })
  const first = connection.observe(doc, { maxRate: 4 })
  const second = connection.observe(other)
  network.last.accept().receive(snapshot({ doc: other }))
  return { time, network, errors, first, second }
}

/** What an edge may send between two pieces. */
const between = fc.constantFrom('delta of the other', 'status', 'signal', 'nothing')

t.test('a view in pieces is the view, whatever comes between them', t => {
  const object = fc
    .jsonValue({ maxDepth: 3 })
    // Keys that no state has: an authority refuses them.
    .map(value => JSON.stringify({ value }).replaceAll(/__proto__|constructor|prototype/g, 'p'))
    .map(text => JSON.parse(text) as JsonObject)
  const large = fc
    .array(object, { minLength: 1, maxLength: 4 })
    .map((parts): JsonObject => ({ parts, rows: Array(2_000).fill('x'.repeat(80)) }))
  const frames = fc.oneof(
    large.map(view => ({ view, all: encodedFrames(view).all })),
    fc
      .tuple(object, fc.integer({ min: 1, max: 4 }))
      .map(([view, pairsMax]) => ({ view, all: openedFrames(view, pairsMax).all })),
  )
  fc.assert(
    fc.property(frames, fc.array(between, { maxLength: 40 }), ({ view, all }, others) => {
      const { network, errors, first, second } = build()
      let seq = 10
      for (const [index, frame] of all.entries()) {
        t.equal(first.view, undefined)
        network.last.receive(frame)
        switch (others[index]) {
          case 'delta of the other':
            network.last.receive(delta({ doc: other, seq: ++seq }))
            t.match(second, { seq, view: { count: seq }, status: 'live' })
            break
          case 'status':
            network.last.receive({ type: 'status', doc, status: 'live', since: 1 })
            break
          case 'signal':
            network.last.receive({ type: 'of a later version', doc, value: 1 })
            break
        }
      }
      t.same(first.view, view)
      t.match(first, { status: 'live', seq: 10 })
      t.same(errors, [])
    }),
    { numRuns: 40 },
  )
  t.end()
})

t.test('a connection that is lost in the middle begins again, at the same rate', t => {
  const { time, network, first, second } = build()
  const { begin, pieces } = openedFrames({ count: 10, still: [1] }, 1)
  for (const frame of [begin, ...pieces]) network.last.receive(frame)
  network.last.end()
  t.same([first.status, second.status], ['connecting', 'stale'])
  time.pass(1_000)
  network.last.accept()
  t.match(network.last.sent, [
    { type: 'observe', doc, maxRate: 4, from: undefined },
    { type: 'observe', doc: other, from: 'p1.10' },
  ])
  for (const frame of openedFrames({ count: 12, still: [1] }, 2, { seq: 12 }).all) {
    network.last.receive(frame)
  }
  t.match(first, { seq: 12, status: 'live' })
  t.end()
})

t.test('more than was announced is seen by the length of the frames', t => {
  const { network, errors, first } = build()
  const { begin, pieces } = openedFrames({ text: 'x'.repeat(2_000) }, 2)
  network.last.receive({ ...begin, bytes: 1_000 })
  for (const piece of pieces) network.last.receive(piece)
  t.match(errors, [{ code: 'FANFOLD_GAP', doc }])
  t.equal(first.status, 'connecting')
  t.end()
})
