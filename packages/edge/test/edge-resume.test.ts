import { encodeResumePoint } from '@fanfold/protocol'
import t from 'tap'
import { live, positionAt, rangesOf, records, viewer } from './build-edge.ts'

const one = viewer(1)

t.test('a viewer resumes by the deltas it missed while the ring holds them', async t => {
  const rig = live()
  rig.frame(records(11, 20))
  for (const [number, seq, expected] of [
    [2, 15, ['15>16', '16>17', '17>18', '18>19', '19>20', 'live']],
    [3, 20, ['live']],
    [
      4,
      10,
      [
        '10>11',
        '11>12',
        '12>13',
        '13>14',
        '14>15',
        '15>16',
        '16>17',
        '17>18',
        '18>19',
        '19>20',
        'live',
      ],
    ],
  ] as const) {
    rig.open(viewer(number))
    rig.observe(viewer(number), { from: encodeResumePoint(positionAt(seq)) })
    t.same(rangesOf(rig.got(viewer(number))), expected)
  }
})

t.test('from a place that the edge does not know, a viewer gets a snapshot', async t => {
  const rig = live()
  rig.frame(records(11, 20))
  const other = { ...positionAt(15), hash: new Uint8Array(32) }
  for (const [number, from] of [
    [2, encodeResumePoint(positionAt(9))],
    [4, encodeResumePoint(other)],
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
  rig.observe(ahead, { from: encodeResumePoint(positionAt(22)) })
  t.match(rig.got(ahead), [{ type: 'status', status: 'live' }], 'and is answered')
  rig.frame(records(21, 21))
  t.same(rig.got(ahead), [])
  rig.frame(records(22, 24))
  t.same(rangesOf(rig.got(ahead)), ['22>23', '23>24'])
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
