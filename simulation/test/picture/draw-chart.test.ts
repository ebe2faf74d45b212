import t from 'tap'
import { chartOf } from '../../src/picture/chart.ts'
import { drawChart } from '../../src/picture/draw-chart.ts'
import { buildRun, mark, message } from './build-items.ts'

const items = [
  message(1_000, ['authority', 'proxy-0'], { what: 'records', detail: '3–5' }),
  { ...message(2_000, ['proxy-0', 'edge-1'], { what: 'join' }), arrivedMicros: undefined },
  mark(3_000, 'edge-1', 'resync <hash> & "more"'),
]
const problems = ['at 5000 µs: viewer-1: delta <4> & 5']
const faults = [
  { kind: 'crash', node: 'proxy-0', atMs: 1.5, forMs: 2 },
  { kind: 'cut', from: 'proxy-0', to: 'edge-1', atMs: 1, forMs: 3 },
  { kind: 'black-hole', node: '*', atMs: 1, forMs: 3 },
] as const
const svg = drawChart(chartOf(buildRun({ items, problems, faults }), {}), [
  'a title',
  'x '.repeat(400),
])

t.test('a chart has its lanes, messages, marks, faults and problems', async t => {
  for (const lane of ['writers', 'authority', 'proxy-0', 'edge-1', 'viewer-1']) {
    t.ok(svg.includes(`>${lane}</text>`), lane)
  }
  for (const words of ['records 3–5', 'join', 'crash 2 ms', 'cut to edge-1 3 ms', 'PROBLEM']) {
    t.ok(svg.includes(words), words)
  }
  t.ok(svg.includes('✖') && svg.includes('▲'), 'a process that goes and is back')
  t.ok(svg.includes('stroke-dasharray="4 3"'), 'a message that does not arrive')
})

t.test('what is said is text, and the file stands for itself', async t => {
  t.ok(svg.includes('resync &lt;hash&gt; &amp; &quot;more&quot;'))
  t.notMatch(svg, /<hash>|delta <4>/)
  t.notMatch(svg.replace('http://www.w3.org/2000/svg', ''), /https?:|<script|<image|@import/)
  t.match(svg, /^<svg [^>]*viewBox="0 0 \d+ \d+"/)
})

t.test('of a run in which nothing happened there is a picture', async t => {
  t.match(drawChart(chartOf(buildRun(), {}), ['nothing']), /authority/)
})
