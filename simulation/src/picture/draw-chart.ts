/* Draws a chart as SVG: time goes down, a lane per node, an arrow per frame. */
import { describeFault, type Fault } from '@fanfold/simulator'
import type { Chart, ChartProblem, Row } from './chart.ts'
import type { Tone } from './item.ts'
import { TimeScale } from './time-scale.ts'

const laneWidth = 178
const marginLeft = 150
/** Room for what the last lane says. */
const marginRight = 130
const headHeight = 34
/** Characters of a label; longer ones are cut. */
const labelMax = 34

const colours: Readonly<Record<Tone, string>> = {
  data: '#0a58ca',
  control: '#57606a',
  trouble: '#bc4c00',
  storage: '#1a7f37',
}
const red = '#cf222e'

/** Colours of faults: of processes, of links, of disks, of clocks. */
const faultColour = (kind: string): string => {
  if (/crash|drain/.test(kind)) return '#8b1a2b'
  if (/pause|^slow$/.test(kind)) return '#8250df'
  if (/disk|files/.test(kind)) return '#0b7285'
  if (kind === 'wall-clock') return '#3b5bdb'
  return '#b58900'
}

/** A chart as SVG, as wide as its lanes. */
export function drawChart(chart: Chart, lines: readonly string[]): string {
  const width = marginLeft + chart.lanes.length * laneWidth + marginRight
  const wrapped = lines.flatMap(line => wrap(line, Math.floor(width / 6.6)))
  const top = 16 + wrapped.length * 16 + headHeight
  const marks = chart.problems.map(({ atMicros }) => atMicros)
  const arrivals = chart.rows.flatMap(({ arrivedMicros = undefined }) => arrivedMicros ?? [])
  const faultTimes = chart.faults
    .flatMap(fault => [fault.atMs * 1000, endMicros(fault)])
    .filter(micros => micros >= chart.fromMicros && micros <= chart.toMicros)
  const starts = [...chart.rows.map(({ item }) => item.atMicros), ...marks]
  const scale = new TimeScale(top + 6, starts, [...arrivals, ...faultTimes])
  const height = scale.height + 60
  const x = (lane: string): number => marginLeft + (chart.lanes.indexOf(lane) + 0.5) * laneWidth
  const problemY = (index: number): number => scale.starts[chart.rows.length + index] ?? 0
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${Math.ceil(height)}" viewBox="0 0 ${width} ${Math.ceil(height)}" font-family="system-ui, sans-serif" font-size="11">`,
    style,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...wrapped.map((line, index) =>
      text({ x: 14, y: 22 + index * 16, text: line, attributes: 'class="title"' }),
    ),
    ...chart.lanes.map(lane => drawLane(x(lane), top, height)),
    ...drawFaults(chart, scale, x),
    ...drawTimes(chart, scale),
    ...scale.gaps.flatMap(gap => [
      `<line x1="${marginLeft - 20}" x2="${width - marginRight}" y1="${gap.y}" y2="${gap.y}" class="gap"/>`,
      text({
        x: marginLeft - 26,
        y: gap.y + 4,
        text: `⋮ ${ms(gap.micros)} ms`,
        attributes: 'text-anchor="end" fill="#8c959f"',
      }),
    ]),
    ...chart.rows.map((row, index) => drawRow(row, scale.starts[index] ?? 0, scale, x)),
    ...chart.problems.map((problem, index) =>
      drawProblem(problem, problemY(index), width, x, chart.lanes),
    ),
    ...laneNames(chart.lanes, [top - 10, ...scale.breaks, height - 10], x),
    '</svg>',
    '',
  ].join('\n')
}

const style = `<style>
.title { font-size: 12px; fill: #1f2328 } .lane { stroke: #d0d7de; stroke-width: 1.5 }
.name { font-size: 12px; font-weight: 600; fill: #1f2328 } .time { fill: #8c959f; font-size: 10px }
.gap { stroke: #d0d7de; stroke-dasharray: 2 4 }
.label { paint-order: stroke; stroke: #fff; stroke-width: 3.5px; stroke-linejoin: round }
.wrong { font-weight: 600; fill: ${red} }
</style>`

const drawLane = (x: number, top: number, height: number): string =>
  `<line x1="${x}" x2="${x}" y1="${top}" y2="${height - 24}" class="lane"/>`

function laneNames(
  lanes: readonly string[],
  ys: readonly number[],
  x: (lane: string) => number,
): string[] {
  const attributes = 'text-anchor="middle" class="name label"'
  return ys.flatMap(y => lanes.map(lane => text({ x: x(lane), y, text: lane, attributes })))
}

/** Times at the left, where there is room for them. */
function drawTimes({ rows }: Chart, scale: TimeScale): string[] {
  let lastY = Number.NEGATIVE_INFINITY
  let lastTime = ''
  return rows.flatMap(({ item }, index) => {
    const y = scale.starts[index] ?? 0
    const time = ms(item.atMicros)
    if (y - lastY < 14 || time === lastTime) return []
    lastY = y
    lastTime = time
    return text({
      x: marginLeft - 60,
      y: y + 3,
      text: time,
      attributes: 'text-anchor="end" class="time"',
    })
  })
}

/** A bar on each lane that a fault names; for all lanes it is at the left. */
function drawFaults(chart: Chart, scale: TimeScale, x: (lane: string) => number): string[] {
  const used = new Map<string, number>()
  return chart.faults.flatMap(fault => {
    const names = Object.values(fault).filter(value => typeof value === 'string')
    const lanes = chart.lanes.filter(lane => names.includes(lane))
    const isEverywhere = names.includes('*') && lanes.length === 0
    const colour = faultColour(fault.kind)
    const from = scale.y(Math.max(chart.fromMicros, fault.atMs * 1000))
    const to = Math.max(from + 4, scale.y(Math.min(chart.toMicros, endMicros(fault))))
    const isBegun = fault.atMs * 1000 >= chart.fromMicros
    const isOver = endMicros(fault) <= chart.toMicros
    return (isEverywhere ? [''] : lanes).flatMap(lane => {
      const beside = used.get(lane) ?? 0
      used.set(lane, beside + 1)
      const middle = lane === '' ? 16 : x(lane)
      const left = middle - 11 + (beside % 4) * 3
      const bar = `<rect x="${left}" y="${from}" width="22" height="${to - from}" fill="${colour}" fill-opacity="0.16" stroke="${colour}" stroke-opacity="0.45"><title>${escaped(describeFault(fault))}</title></rect>`
      const label = text({
        x: left + 26,
        y: from + 10 + (isBegun ? 0 : 12 * (beside % 4)),
        text: `${isBegun ? '' : '… '}${faultWords(fault, lane)}`,
        attributes: `fill="${colour}" font-weight="600" class="label"`,
      })
      return [bar, label, ...crashMarks(fault, { x: middle, from, to, isBegun, isOver })]
    })
  })
}

/** A cross where a process goes, and where it is back. */
function crashMarks(
  { kind }: Fault,
  at: {
    readonly x: number
    readonly from: number
    readonly to: number
    readonly isBegun: boolean
    readonly isOver: boolean
  },
): string[] {
  if (kind !== 'crash' && kind !== 'drain') return []
  const marks: string[] = []
  const sign = (y: number, sign: string): string =>
    text({
      x: at.x,
      y,
      text: sign,
      attributes: `text-anchor="middle" font-size="16" font-weight="700" fill="${faultColour(kind)}"`,
    })
  if (at.isBegun) marks.push(sign(at.from + 6, '✖'))
  if (at.isOver) marks.push(sign(at.to + 6, '▲'))
  return marks
}

function faultWords(fault: Fault, lane: string): string {
  const fields: Readonly<Record<string, unknown>> = { ...fault }
  const { from, to, forMs } = fields
  const other = [from === lane ? `to ${to}` : '', to === lane ? `from ${from}` : '']
  const lasts = typeof forMs === 'number' ? `${Math.round(forMs)} ms` : ''
  return [fault.kind, ...other, lasts].filter(word => word !== '').join(' ')
}

function drawRow(row: Row, y: number, scale: TimeScale, x: (lane: string) => number): string {
  const { item, arrivedMicros } = row
  const colour = colours[item.label.tone]
  const words = cut(wordsOf(row))
  if (item.kind === 'mark') {
    const at = x(item.lane)
    return [
      `<circle cx="${at}" cy="${y - 5}" r="3.4" fill="${colour}"/>`,
      text({
        x: at + 8,
        y: y - 1,
        text: words,
        attributes: `fill="${colour}" class="label"`,
        title: wordsOf(row),
      }),
    ].join('')
  }
  const from = x(item.from)
  const to = x(item.to)
  const way = Math.sign(to - from)
  const isLost = arrivedMicros === undefined
  const endX = isLost ? from + way * laneWidth * 0.55 : to - way * 2
  const endY = isLost ? y + 8 : Math.max(y, scale.y(arrivedMicros))
  const label = text({
    x: from + way * 9,
    y: y - 2,
    text: words,
    attributes: `fill="${colour}" class="label" text-anchor="${way > 0 ? 'start' : 'end'}"`,
    title: wordsOf(row),
  })
  const dash = isLost ? ' stroke-dasharray="4 3"' : ''
  const line = `<line x1="${from}" y1="${y}" x2="${endX}" y2="${endY}" stroke="${colour}" stroke-width="${row.count > 1 ? 2 : 1.2}"${dash}/>`
  const end = isLost
    ? text({
        x: endX,
        y: endY + 4,
        text: '×',
        attributes: `text-anchor="middle" font-size="15" fill="${red}"`,
      })
    : arrowHead({ x: endX, y: endY, dx: endX - from, dy: endY - y, colour })
  return `${line}${end}<circle cx="${from}" cy="${y}" r="1.8" fill="${colour}"/>${label}`
}

function wordsOf({ item, lastLabel, count }: Row): string {
  const { what, detail } = item.label
  const times = count > 1 ? ` ×${count}` : ''
  if (detail === '' || detail === lastLabel.detail)
    return `${what}${times}${detail && ` ${detail}`}`
  return `${what}${times} ${detail} … ${lastLabel.detail}`
}

function arrowHead({
  x,
  y,
  dx,
  dy,
  colour,
}: {
  readonly x: number
  readonly y: number
  readonly dx: number
  readonly dy: number
  readonly colour: string
}): string {
  const length = Math.hypot(dx, dy) || 1
  const [ux, uy] = [dx / length, dy / length]
  const corner = (side: number): string =>
    `${(x - 8 * ux - side * 3.4 * uy).toFixed(1)},${(y - 8 * uy + side * 3.4 * ux).toFixed(1)}`
  return `<polygon points="${x},${y.toFixed(1)} ${corner(1)} ${corner(-1)}" fill="${colour}"/>`
}

function drawProblem(
  { text: said, lanes }: ChartProblem,
  y: number,
  width: number,
  x: (lane: string) => number,
  shown: readonly string[],
): string {
  const [line = ''] = wrap(said.split('\n')[0] ?? '', Math.floor((width - marginLeft) / 6.4))
  return [
    `<line x1="${marginLeft - 50}" x2="${width - 10}" y1="${y}" y2="${y}" stroke="${red}" stroke-width="1.5"/>`,
    ...lanes
      .filter(lane => shown.includes(lane))
      .map(
        lane =>
          `<circle cx="${x(lane)}" cy="${y}" r="7" fill="${red}" stroke="#fff" stroke-width="2"/>`,
      ),
    text({
      x: marginLeft - 56,
      y: y + 4,
      text: 'PROBLEM',
      attributes: 'text-anchor="end" class="wrong"',
    }),
    text({ x: marginLeft - 46, y: y - 4, text: line, attributes: 'class="wrong label"' }),
  ].join('')
}

const endMicros = (fault: Fault): number =>
  (fault.atMs + ('forMs' in fault ? fault.forMs : 0)) * 1000

const ms = (micros: number): string =>
  (micros / 1000).toLocaleString('en-US', { maximumFractionDigits: micros < 10_000_000 ? 1 : 0 })

const cut = (words: string): string =>
  words.length > labelMax ? `${words.slice(0, labelMax - 1)}…` : words

function wrap(line: string, max: number): string[] {
  const lines: string[] = []
  let rest = line
  while (rest.length > max) {
    const space = rest.lastIndexOf(' ', max)
    const end = space > max / 2 ? space : max
    lines.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return [...lines, rest]
}

function text({
  x,
  y,
  text,
  attributes,
  title,
}: {
  readonly x: number
  readonly y: number
  readonly text: string
  readonly attributes: string
  readonly title?: string | undefined
}): string {
  const more = title === undefined || title === text ? '' : `<title>${escaped(title)}</title>`
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(text)}${more}</text>`
}

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
