import { viewersWait, writersWait } from './expectations.ts'
import type { Scenario } from './scenario.ts'
import { tree } from './stages.ts'

/** What every change is tried with: one of each kind, one after the other. */
export const shortScenario: Scenario = {
  name: 'short',
  does: 'an edge dies, a proxy is cut off, connections break, the authority dies, all lose power',
  needs: ['networks'],
  seconds: 28,
  stage: () => tree({ change: { 'proxy-a': { parents: ['authority', 'proxy-b'] } } }),
  schedule: prng => [
    { atMs: 200, fault: 'kill', args: { node: 'edge-1', downMs: prng.below(500) } },
    {
      atMs: 3_000,
      fault: 'cut',
      args: {
        node: 'proxy-a',
        other: 'authority',
        way: prng.pick(['both', 'in', 'out'] as const),
        ms: 2_500,
      },
    },
    { atMs: 6_000, fault: 'break', args: { node: 'edge-2' } },
    { atMs: 6_500, fault: 'pause', args: { node: 'proxy-b', ms: 300 } },
    { atMs: 7_500, fault: 'kill', args: { node: 'authority', downMs: prng.below(300) } },
    { atMs: 12_000, fault: 'power-loss', args: { downMs: prng.below(300) } },
  ],
  // After the power was lost five processes start one after the other, which takes a slow machine longest.
  expects: seen => [writersWait(seen, 8_000), viewersWait(seen, 12_000)],
  convergeMsMax: 8_000,
}
