/* What a node says of itself in its metrics, and what the kernel says of its memory. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Stage } from '../stage.ts'

const run = promisify(execFile)
const fetchText = 'fetch(process.argv[1]).then(r => r.text()).then(t => process.stdout.write(t))'
const answerMsMax = 10_000

/** Metrics of one moment. */
export type NodeMetrics = {
  /** The sum over all series of a metric that have these labels. */
  readonly sum: (name: string, labels?: Readonly<Record<string, string>>) => number
}

/** Asks a node for its metrics, from within its network: who is not there does not reach them. */
export async function metricsOf(stage: Stage, name: string): Promise<NodeMetrics> {
  const { fleet, networks } = stage
  const url = `http://127.0.0.1:${fleet.portsOf(name).adminPort}/metrics`
  const words = [process.execPath, '-e', fetchText, url]
  const [program = '', ...rest] = [...(networks?.wrapper(stage.networkOf(name)) ?? []), ...words]
  const { stdout } = await run(program, rest, { timeout: answerMsMax })
  const lines = stdout.split('\n')
  return {
    sum: (metric, labels = {}) => {
      const has = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
      return lines
        .filter(
          line => line.startsWith(`fanfold_${metric}{`) && has.every(one => line.includes(one)),
        )
        .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0)
    },
  }
}

/** Memory of a process, kB: what it has now, and the most that it had at any time. */
export function memoryOf(pid: number): { readonly nowKb: number; readonly peakKb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kb = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN)
  return { nowKb: kb('VmRSS'), peakKb: kb('VmHWM') }
}
