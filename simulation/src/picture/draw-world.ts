import { writeFileSync } from 'node:fs'
import type { Fault } from '@fanfold/simulator'
import { machineFacts } from '../machine-facts.ts'
import { runOnce } from '../run-world.ts'
import type { PictureSettings } from '../settings.ts'
import type { NamedWorld, WorldResult } from '../world-kinds.ts'
import { chartOf } from './chart.ts'
import { drawChart } from './draw-chart.ts'
import { RunRecorder } from './run-recorder.ts'

/** Runs a world once more, and draws what happens around its first problem into a file. */
export async function drawWorld(
  world: NamedWorld,
  result: WorldResult,
  { picture, fromMs, toMs }: PictureSettings & { readonly picture: string },
): Promise<void> {
  const recorder = new RunRecorder(endOf(result, toMs))
  await runOnce(world, event => recorder.take(event))
  const chart = chartOf(
    { ...recordOf(recorder), problems: result.problems, faults: faultsOf(result.options) },
    { fromMicros: microsOf(fromMs), toMicros: microsOf(toMs) },
  )
  const [problem = 'no problem'] = result.problems
  const title = `${world.world} '${world.seed}'`
  const what = [
    `${Math.round(chart.fromMicros / 1000)} to ${Math.round(chart.toMicros / 1000)} ms`,
    ...(chart.doc === undefined ? [] : [`of ${chart.doc} alone`]),
    `${chart.left} more events in that time or before it are not shown`,
  ]
  const { commit, node } = machineFacts()
  const code = `commit ${commit}, node ${node}`
  const svg = drawChart(chart, [`${title}, ${code}`, problem.split('\n')[0] ?? '', what.join(', ')])
  writeFileSync(picture, picture.endsWith('.html') ? pageOf(title, svg) : svg)
}

const recordOf = ({ items, parents, edges }: RunRecorder) => ({ items, parents, edges })

const microsOf = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : value * 1000

/** Nothing later is drawn, µs. */
function endOf({ problems, virtualMs }: WorldResult, toMs: number | undefined): number {
  const [, first] = /^at (\d+) µs/.exec(problems[0] ?? '') ?? []
  return microsOf(toMs) ?? (first === undefined ? virtualMs * 1000 : Number(first) + 1_000_000)
}

function faultsOf(options: unknown): readonly Fault[] {
  if (typeof options !== 'object' || options === null || !('faults' in options)) return []
  return Array.isArray(options.faults) ? options.faults : []
}

const pageOf = (title: string, svg: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${title.replaceAll('<', '&lt;')}</title>
<body style="margin:0">${svg}</body></html>
`
