/*
 * Every kind of effect crossed with every kind of fault: what a campaign must have met, written down
 * before it runs. The compiler knows when a kind is missing here.
 */
import type { AuthorityEffect } from '@fanfold/authority'
import type { EdgeEffect } from '@fanfold/edge'
import type { ProxyEffect } from '@fanfold/proxy'
import type { ClusterEffect } from '@fanfold/topology'
import type { FaultKind } from './fault.ts'
import type { FleetFault } from './fleet-fault.ts'

/** Kinds of effects that machines have performed. */
export type EffectKind = (AuthorityEffect | ProxyEffect | EdgeEffect)['kind']

/** Those of a node's part in a fleet. */
export type FleetEffectKind = ClusterEffect['kind']

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
  'log-follow': true,
  'log-keep-snapshot': true,
  'log-open': true,
  'log-read': true,
  'log-read-close': true,
  'signal-end': true,
  'transfer-end': true,
  'tree-told': true,
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

/** Those that nodes of a fleet have beside the others. */
const fleetEffectKinds: Readonly<Record<FleetEffectKind, true>> = {
  'certainty-changed': true,
  'cluster-note': true,
  'coordinator-announce': true,
  'coordinator-place': true,
  'coordinator-watch': true,
  'coordinator-withdraw': true,
  'dial-member': true,
  'node-refused': true,
  'placement-answered': true,
  'view-changed': true,
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

const everyFleetFault: Readonly<Record<FleetFault['kind'], true>> = {
  'coordinator-away': true,
  'coordinator-emptied': true,
  'logs-fallen-back': true,
}

/** All kinds of faults, in a tree that is no fleet. */
export const faultKinds: ReadonlySet<string> = new Set(Object.keys(everyFault))

/** A pair that need not meet, and why: `*` is every kind of fault. */
export type Apart = {
  readonly effect: EffectKind | FleetEffectKind
  readonly fault: FaultKind | '*'
  readonly because: string
}

/** What need not meet anywhere. */
const apartEverywhere: readonly Apart[] = [
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

/** What need not meet in a tree that is no fleet. */
export const apart: readonly Apart[] = [
  ...apartEverywhere,
  { effect: 'log-follow', fault: '*', because: 'nobody else writes the log of its one authority' },
]

/** The name of an effect that meets a fault, in the coverage of a campaign. */
export const crossingName = (effect: string, fault: string): string => `${effect} × ${fault}`

/** What need not meet in a fleet. */
export const apartInFleets: readonly Apart[] = [
  ...apartEverywhere,
  { effect: 'want-parents', fault: '*', because: 'documents of a fleet have routes' },
  { effect: 'coordinator-place', fault: '*', because: 'nobody places anything there yet' },
  { effect: 'placement-answered', fault: '*', because: 'nobody places anything there yet' },
  { effect: 'node-refused', fault: '*', because: 'no node is there twice' },
]

const pairs = (
  effects: readonly string[],
  faults: readonly string[],
  exceptions: readonly Apart[],
): readonly string[] =>
  effects.flatMap(effect =>
    faults
      .filter(
        fault => !exceptions.some(one => one.effect === effect && ['*', fault].includes(one.fault)),
      )
      .map(fault => crossingName(effect, fault)),
  )

/** All pairs that must meet in a tree that is no fleet, by name. */
export const crossingList: readonly string[] = pairs(
  Object.keys(effectKinds),
  [...faultKinds],
  apart,
)

/** All pairs that must meet in a fleet, by name. */
export const fleetCrossingList: readonly string[] = pairs(
  [...Object.keys(effectKinds), ...Object.keys(fleetEffectKinds)],
  [...faultKinds, ...Object.keys(everyFleetFault)],
  apartInFleets,
)

/**
 * Worlds with faults from which on each pair of the list must have been met. The rarest meets once in some
 * 2,500: in 5,000 one of seven campaigns would miss it, in so many one of three thousand.
 */
export const crossingsSeedsMin = 20_000
