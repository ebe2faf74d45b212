/* Faults of a world, drawn from its seed and the form of its tree. */
import { instant, milliseconds, type Prng } from '@fanfold/kernel'
import type { Fault } from './fault.ts'

/** How long a proxy is away at most beyond `drainMs`, ms. */
const restartMaxMs = 400
/** When a proxy that is drained is gone for sure, ms. */
const drainMs = 300

/** Proxies that end and start again while records flow; the proxies are those of the tree. */
export function drawRestarts(
  prng: Prng,
  { restarts, proxies, busyMs }: { restarts: number; proxies: number; busyMs: number },
): readonly Fault[] {
  if (proxies === 0) return []
  return Array.from({ length: restarts }, (): Fault => {
    const node = `proxy-${prng.below(proxies)}`
    const atMicros = instant(busyMs * 1000 * (0.2 + (0.9 - 0.2) * prng.fraction()))
    const forMicros = milliseconds(drainMs + prng.below(restartMaxMs))
    const kind = prng.chance(0.6) ? 'crash' : 'drain'
    return { kind, node, atMs: atMicros / 1000, forMs: forMicros / 1000 }
  })
}
