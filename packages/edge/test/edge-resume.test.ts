import { sha256 } from '@fanfold/conformance'
import t from 'tap'
import { ResumePoints } from '../src/resume-point.ts'
import {
  hashOf,
  live,
  pointAt,
  positionAt,
  rangesOf,
  records,
  viewer,
  viewKey,
} from './build-edge.ts'

const one = viewer(1)

t.test('a viewer resumes by one delta over all that it missed', async t => {
  const rig = live()
  rig.frame(records(11, 20))
  for (const [number, seq, expected] of [
    [2, 15, ['15>20', 'live']],
    [3, 20, ['live']],
    [4, 10, ['10>20', 'live']],
  ] as const) {
    rig.open(viewer(number))
    rig.observe(viewer(number), { from: pointAt(seq) })
    const frames = rig.got(viewer(number))
    t.same(rangesOf(frames), expected)
    if (seq === 20) continue
    t.match(frames[0], { patch: [{ path: '/n', value: 20 }], position: pointAt(20) })
  }
})

t.test('from a place that the edge does not know, a viewer gets a snapshot', async t => {
  const rig = live()
  rig.frame(records(11, 20))
  const points = new ResumePoints(sha256, viewKey)
  const tag = points.tag(hashOf('open'), {}, undefined)
  const other = points.seal({ ...positionAt(15), hash: new Uint8Array(32) }, tag)
  for (const [number, from] of [
    [2, pointAt(9)],
    [4, other],
    [5, 'nonsense'],
  ] as const) {
    rig.open(viewer(number))
    rig.observe(viewer(number), { from })
    const [first, ...rest] = rig.got(viewer(number))
    t.equal(first?.type, 'snapshot', from)
    const ends = rest.filter(({ type }) => type === 'delta').at(-1) ?? first
    t.equal(ends?.type === 'delta' || ends?.type === 'snapshot' ? ends.seq : 0, 20)
  }
})

t.test('a viewer that is further on than the edge is not taken back: it waits', async t => {
  const rig = live()
  rig.frame(records(11, 20))
  const ahead = viewer(2)
  rig.open(ahead)
  rig.observe(ahead, { from: pointAt(22) })
  t.match(rig.got(ahead), [{ type: 'status', status: 'live' }], 'and is answered')
  rig.frame(records(21, 21))
  t.same(rig.got(ahead), [])
  rig.frame(records(22, 24))
  t.same(rangesOf(rig.got(ahead)), ['22>24'])
  rig.frame(records(25, 25))
  t.same(rangesOf(rig.got(ahead)), ['24>25'])
})

t.test('a viewer that lagged gets no snapshot older than what it had', async t => {
  const rig = live()
  rig.open(viewer(2))
  rig.observe(viewer(2))
  rig.got(one)
  rig.lag(one)
  rig.frame(records(11, 12))
  rig.drain(one)
  t.match(rig.got(one)[0], { type: 'snapshot', seq: 12 })
})
