import type { Authority } from '@fanfold/authority'
import type { RunningNodes } from './node-gauges.ts'

/** Why authorities serve a region more than once with a document, in words; undefined when they do not. */
export function surplusStreams(
  { authorities, proxies, edges }: RunningNodes,
  documents: number,
): string | undefined {
  const sumOf = (count: (machine: Authority) => number): number =>
    authorities.reduce((sum, { made }) => sum + count(made.machine), 0)
  const extra = sumOf(machine => machine.regionStreamsExtra)
  if (extra > 0) return `${extra} streams more than one of a document leave for a region`
  // Of one document two authorities may send a stream to a region, each only one.
  const regions = new Set([...proxies.keys()].map(({ region }) => region))
  const alone = [...edges.keys()].filter(({ region }) => !regions.has(region))
  const most = documents * (regions.size + alone.length)
  const streams = sumOf(machine => machine.streamCount)
  return streams <= most ? undefined : `${streams} streams leave the authorities, not ${most}`
}
