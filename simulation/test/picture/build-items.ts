/* Items of a chart that nobody recorded. */
import type { RecordedRun } from '../../src/picture/chart.ts'
import type { Label, Mark, Message } from '../../src/picture/item.ts'

const label = (what: string, detail: string, doc: string | undefined): Label => ({
  what,
  detail,
  tone: 'data',
  doc,
})

/** A message that takes 100 µs. */
export const message = (
  atMicros: number,
  [from, to]: readonly [from: string, to: string],
  { what = 'records', detail = '', doc }: { what?: string; detail?: string; doc?: string } = {},
): Message => ({
  kind: 'message',
  from,
  to,
  atMicros,
  arrivedMicros: atMicros + 100,
  label: label(what, detail, doc),
})

/** Something that happens at one node. */
export const mark = (atMicros: number, lane: string, what: string): Mark => ({
  kind: 'mark',
  lane,
  atMicros,
  label: label(what, '', undefined),
})

/** A run of authority, proxy-0, and edges 0 and 1 below it, each with a viewer. */
export const buildRun = (overrides: Partial<RecordedRun> = {}): RecordedRun => ({
  items: [],
  parents: new Map([
    ['proxy-0', new Set(['authority'])],
    ['edge-0', new Set(['proxy-0'])],
    ['edge-1', new Set(['proxy-0'])],
  ]),
  edges: new Map([
    ['viewer-0', 'edge-0'],
    ['viewer-1', 'edge-1'],
  ]),
  problems: [],
  faults: [],
  ...overrides,
})
