/*
 * Every kind of effect crossed with every kind of fault: what a campaign must have met, written down
 * before it runs. The compiler knows when a kind is missing here.
 */
import type { AuthorityEffect } from '@fanfold/authority'
import type { EdgeEffect } from '@fanfold/edge'
import type { ProxyEffect } from '@fanfold/proxy'
import type { FaultKind } from './fault.ts'
import type { FleetFault } from './fleet-fault.ts'

/** Kinds of effects that machines have performed. */
export type EffectKind = (AuthorityEffect | ProxyEffect | EdgeEffect)['kind']

/** All kinds of effects. */
export const effectKinds: Readonly<Record<EffectKind, true>> = {
  'cohort-enter': true,
  'cohort-exit': true,
  'cohort-move': true,
  'cohort-send': true,
  'cohort-signal': true,
  fact: true,
  'link-close': true,
  'link-send': true,
  'link-signal': true,
  'load-variant': true,
  'log-append': true,
  'log-close': true,
  'log-keep-snapshot': true,
  'log-open': true,
  'log-read': true,
  'log-read-close': true,
  'signal-end': true,
  'transfer-end': true,
  'viewer-close': true,
  'viewer-send': true,
  'viewer-signal': true,
  'viewer-transfer': true,
  'want-nodes': true,
  'want-parents': true,
  'warm-drop': true,
  'warm-keep': true,
  'warm-read': true,
  'worker-close': true,
  'worker-encode': true,
  'worker-feed': true,
  'worker-open': true,
  'worker-view': true,
  'write-answered': true,
}

/** Those of fleets are for worlds that are some. */
const everyFault: Readonly<Record<Exclude<FaultKind, FleetFault['kind']>, true>> = {
  'black-hole': true,
  crash: true,
  'crash-at': true,
  cut: true,
  delay: true,
  'disk-broken': true,
  'disk-full': true,
  'disk-slow': true,
  'disk-unreadable': true,
  drain: true,
  'log-away': true,
  'no-files': true,
  pause: true,
  refuse: true,
  sever: true,
  silence: true,
  slow: true,
  'slow-link': true,
  'wall-clock': true,
}

/** All kinds of faults. */
export const faultKinds: ReadonlySet<string> = new Set(Object.keys(everyFault))

/** What need not meet, and why: `*` is every kind of fault. */
export const apart: readonly {
  readonly effect: EffectKind
  readonly fault: FaultKind | '*'
  readonly because: string
}[] = [
  {
    effect: 'viewer-close',
    fault: '*',
    because: 'no machine asks for it: rims close connections by themselves',
  },
  {
    effect: 'link-close',
    fault: '*',
    because:
      'machines close links for bytes that are no frame, which damage to records seldom makes',
  },
]

/** The name of an effect that meets a fault, in the coverage of a campaign. */
export const crossingName = (effect: string, fault: string): string => `${effect} × ${fault}`

/** All pairs that must meet, by name. */
export const crossingList: readonly string[] = Object.keys(effectKinds).flatMap(effect =>
  [...faultKinds]
    .filter(fault => !apart.some(one => one.effect === effect && ['*', fault].includes(one.fault)))
    .map(fault => crossingName(effect, fault)),
)

/**
 * Worlds with faults from which on each pair of the list must have been met. The rarest meets once in some
 * 2,500: in 5,000 one of seven campaigns would miss it, in so many one of three thousand.
 */
export const crossingsSeedsMin = 20_000
