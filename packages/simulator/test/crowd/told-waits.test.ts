import { instant } from '@fanfold/kernel'
import { type PeerIdentity, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { ToldWaits } from '../../src/crowd/told-waits.ts'

const doc = parseDocumentKey('acme/board/0')
const peer = (node: string): PeerIdentity => ({
  node,
  incarnation: '1',
  region: '',
  roles: [],
  ceiling: 255,
})
const [edge, proxy, other] = [peer('edge-0'), peer('proxy-0'), peer('proxy-1')]
const at = (ms: number, number: number) => ({ doc, number, now: instant(ms * 1_000) })

t.test('who says the next sooner than it was told is found', async t => {
  const waits = new ToldWaits(0)
  t.equal(waits.says(edge, proxy, at(0, 1)), undefined)
  waits.answered(edge, doc, 1, 100)
  t.equal(waits.says(edge, proxy, at(100, 2)), undefined)
  waits.answered(edge, doc, 2, 100)
  t.match(waits.says(edge, proxy, at(150, 3)), /after 50 ms, told to wait 100/)
})

t.test('a clock may go as much too fast as clocks do', async t => {
  const waits = new ToldWaits(0.1)
  waits.says(edge, proxy, at(0, 1))
  waits.answered(edge, doc, 1, 1_100)
  t.equal(waits.says(edge, proxy, at(1_000, 2)), undefined)
  waits.answered(edge, doc, 2, 1_100)
  t.match(waits.says(edge, proxy, at(1_990, 3)), /told to wait/)
})

t.test(
  'another parent, a second join, a lost answer and one to something else bind nobody',
  async t => {
    const waits = new ToldWaits(0)
    waits.says(edge, proxy, at(0, 1))
    waits.answered(edge, doc, 1, 100)
    t.equal(waits.says(edge, other, at(10, 2)), undefined)
    t.equal(waits.says(edge, other, at(20, 3)), undefined)
    waits.answered(edge, doc, 2, 100)
    t.equal(waits.says(edge, other, at(30, 4)), undefined)
    waits.answered(edge, doc, 4, 100)
    waits.joined(edge, doc)
    t.equal(waits.says(edge, other, at(40, 5)), undefined)
    waits.answered(edge, doc, 5, 100)
    t.match(waits.says(edge, other, at(50, 6)), /told to wait 100/, 'once for each join')
  },
)

t.test(
  'what may not have come to the node yet binds it no longer than it waits for an answer',
  async t => {
    const waits = new ToldWaits(0)
    waits.says(edge, proxy, at(0, 1))
    waits.answered(edge, doc, 1, 9_000)
    t.equal(waits.says(edge, proxy, at(5_000, 2)), undefined)
  },
)
