import { breakerStates } from '@fanfold/topology'
import type { DialledNode } from './follower-links.ts'
import type { Metrics } from './metrics.ts'
import type { ProcessRoles } from './process-roles.ts'

/**
 * What is known now of the nodes that a process dials: computed when somebody asks, so that nothing is told of
 * what was seen a while ago.
 */
export function setLinkGauges(metrics: Metrics, { authority, proxies, edges }: ProcessRoles): void {
  const hosts = [...(authority === undefined ? [] : [authority]), ...proxies, ...edges]
  const up = new Map<string, number>()
  const breakers = new Map<string, number>()
  // Roles dial for themselves: there is a link when one of them has it, and the worst breaker is told.
  const dialled = hosts.flatMap<DialledNode>(host => host.dialled)
  for (const { node, isOpen, breaker } of dialled) {
    up.set(node, Math.max(up.get(node) ?? 0, isOpen ? 1 : 0))
    if (breaker === undefined) continue
    breakers.set(node, Math.max(breakers.get(node) ?? 0, breakerStates[breaker]))
  }
  metrics.setAll('node_up', up)
  metrics.setAll('link_breaker_state', breakers)
}
