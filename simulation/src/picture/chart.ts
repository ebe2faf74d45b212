/*
 * Chooses what a picture shows of a run: the lanes that matter to a problem, what happened on them
 * before it, one row for each, and no more than a person can read.
 *
 * What matters are the nodes that the problem names and those above them, and the document that it
 * names. Items of one kind that follow each other are one with a count. Of what is left the last ones
 * before the end are shown.
 */
import type { Fault } from '@fanfold/simulator'
import { type Item, type Label, type Message, writersLane } from './item.ts'

/** Lanes and rows of a picture at most. */
export const lanesMax = 10
export const rowsMax = 160

/** A run, as it was recorded. */
export type RecordedRun = {
  readonly items: readonly Item[]
  readonly parents: ReadonlyMap<string, ReadonlySet<string>>
  /** The edge of each viewer. */
  readonly edges: ReadonlyMap<string, string>
  readonly problems: readonly string[]
  readonly faults: readonly Fault[]
}

/** An item, or several in a row that are alike. */
export type Row = {
  readonly item: Item
  /** Of the last one. */
  readonly lastLabel: Label
  readonly count: number
  /** When the last one arrived; undefined for one that did not, and for a mark. */
  readonly arrivedMicros: number | undefined
}

/** A problem, where it was found. */
export type ChartProblem = {
  readonly atMicros: number
  readonly text: string
  readonly lanes: readonly string[]
}

/** What is drawn. */
export type Chart = {
  readonly lanes: readonly string[]
  readonly rows: readonly Row[]
  readonly fromMicros: number
  readonly toMicros: number
  readonly problems: readonly ChartProblem[]
  readonly faults: readonly Fault[]
  /** The document that alone is shown; all when undefined. */
  readonly doc: string | undefined
  /** Items in the window that are on other lanes, or about other documents, or too early. */
  readonly left: number
}

/** Time that is shown behind a problem, µs. */
const behindMicros = 20_000

/** What to draw of a run: around its first problem, or of the time that is told. */
export function chartOf(
  run: RecordedRun,
  {
    fromMicros,
    toMicros,
  }: { readonly fromMicros?: number | undefined; readonly toMicros?: number | undefined },
): Chart {
  const [first] = run.problems.map(problemOf)
  const doc = first === undefined ? undefined : /[\w-]+\/[\w-]+\/[\w-]+/.exec(first.text)?.[0]
  const end =
    toMicros ?? (first === undefined ? Number.MAX_SAFE_INTEGER : first.atMicros + behindMicros)
  const begin = fromMicros ?? 0
  const inTime = run.items.filter(({ atMicros }) => atMicros >= begin && atMicros <= end)
  const lanes = lanesOf(run, first?.lanes ?? [], inTime)
  const shown = inTime.filter(item => isShown(item, lanes, doc))
  const rows = joined(shown).slice(-rowsMax)
  const from = Math.max(begin, rows[0]?.item.atMicros ?? begin)
  const to = Math.max(from, Math.min(end, endOf(rows, first)))
  return {
    lanes,
    rows,
    fromMicros: from,
    toMicros: to,
    problems: run.problems
      .map(problemOf)
      .filter(({ atMicros }) => atMicros >= from && atMicros <= end),
    faults: run.faults.filter(fault => isNear(fault, from, to)),
    doc,
    left: inTime.length - rows.reduce((sum, { count }) => sum + count, 0),
  }
}

const endOf = (rows: readonly Row[], first: ChartProblem | undefined): number =>
  rows.reduce(
    (end, { item, arrivedMicros }) => Math.max(end, arrivedMicros ?? item.atMicros),
    first?.atMicros ?? 0,
  )

/** When and where a problem was found, by what it says. */
export function problemOf(text: string): ChartProblem {
  const [, at = '0', said = text] = /^at (\d+) µs: ([\s\S]*)$/.exec(text) ?? []
  const names = said.match(/\b(?:authority|creator|(?:proxy|edge|viewer|writer)-\d+)\b/g) ?? []
  const lanes = names.map(name => (/^(writer|creator)/.test(name) ? writersLane : name))
  return { atMicros: Number(at), text: said, lanes: [...new Set(lanes)] }
}

/** The lanes that a problem names and those above them, from the writers down. */
function lanesOf(
  { parents, edges }: RecordedRun,
  named: readonly string[],
  items: readonly Item[],
): readonly string[] {
  const lanes = new Set<string>()
  const add = (lane: string): void => {
    if (lanes.size >= lanesMax - 1 || lanes.has(lane)) return
    lanes.add(lane)
    const edge = edges.get(lane)
    if (edge !== undefined) add(edge)
    for (const parent of parents.get(lane) ?? []) add(parent)
  }
  const wanted = named.filter(name => name !== 'authority' && name !== writersLane)
  for (const name of wanted) add(name)
  // Who is below an edge shows what came of it.
  const below = [...edges].filter(([, edge]) => wanted.includes(edge)).slice(0, 2)
  for (const [viewer] of below) add(viewer)
  if (wanted.length === 0) for (const lane of busiest(items)) add(lane)
  return [...lanes.add('authority').add(writersLane)].sort(byTier)
}

/** Lanes by how much happens there. */
function busiest(items: readonly Item[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const item of items) {
    for (const lane of lanesOfItem(item)) counts.set(lane, (counts.get(lane) ?? 0) + 1)
  }
  return [...counts]
    .filter(([lane]) => !lane.startsWith('viewer'))
    .sort(([, a], [, b]) => b - a)
    .map(([lane]) => lane)
}

const tiers = [writersLane, 'authority', 'proxy', 'edge', 'viewer']

function byTier(a: string, b: string): number {
  const place = (lane: string): number => tiers.findIndex(tier => lane.startsWith(tier))
  const number = (lane: string): number => Number(/\d+$/.exec(lane)?.[0] ?? 0)
  return place(a) - place(b) || number(a) - number(b)
}

/** The lanes that an item touches. */
export const lanesOfItem = (item: Item): readonly string[] =>
  item.kind === 'mark' ? [item.lane] : [item.from, item.to]

function isShown(item: Item, lanes: readonly string[], doc: string | undefined): boolean {
  const { label } = item
  if (label.what === 'ping') return false
  if (doc !== undefined && label.doc !== undefined && label.doc !== doc) return false
  return lanesOfItem(item).every(lane => lanes.includes(lane))
}

/** Items in a row that are alike as one, where nothing else happened on their lanes between them. */
function joined(items: readonly Item[]): readonly Row[] {
  const rows: Row[] = []
  const lastOn = new Map<string, number>()
  for (const item of items) {
    const lanes = lanesOfItem(item)
    const arrivedMicros = item.kind === 'message' ? item.arrivedMicros : undefined
    const [index = -1, ...others] = lanes.map(lane => lastOn.get(lane))
    const before = others.every(other => other === index) ? rows[index] : undefined
    if (before !== undefined && isAlike(before.item, item)) {
      rows[index] = { ...before, lastLabel: item.label, count: before.count + 1, arrivedMicros }
      continue
    }
    for (const lane of lanes) lastOn.set(lane, rows.length)
    rows.push({ item, lastLabel: item.label, count: 1, arrivedMicros })
  }
  return rows
}

function isAlike(a: Item, b: Item): boolean {
  if (a.label.what !== b.label.what || a.label.doc !== b.label.doc) return false
  if (a.kind === 'mark' || b.kind === 'mark')
    return a.kind === b.kind && a.label.detail === b.label.detail
  return a.from === b.from && hasArrived(a) === hasArrived(b)
}

const hasArrived = ({ arrivedMicros }: Message): boolean => arrivedMicros !== undefined

function isNear(fault: Fault, fromMicros: number, toMicros: number): boolean {
  const endMs = fault.atMs + ('forMs' in fault ? fault.forMs : 0)
  return fault.atMs * 1000 <= toMicros && endMs * 1000 >= fromMicros
}
