/* Coordinators on a real server, in the hands of tests. */

import { CoordinatorClient } from '@fanfold/conformance'
import type { Test } from 'tap'
import { createRedisCoordinator } from '../src/redis-coordinator.ts'
import type { RedisCoordinatorOptions } from '../src/redis-coordinator-options.ts'

/** What a coordinator is made with, beside what every test needs. */
export type CoordinatorOptions = Partial<RedisCoordinatorOptions> & { readonly address: string }

/** A coordinator that ends with its test; a fatal error fails the test. */
export function makeMember(t: Test, options: CoordinatorOptions): CoordinatorClient {
  const client = new CoordinatorClient(receive =>
    createRedisCoordinator({
      nodeId: 'node-1',
      receive,
      onFatal: error => t.fail('nothing is fatal', { error }),
      ...options,
      // A server's is no field of its own.
      address: options.address,
    }),
  )
  t.teardown(() => client.coordinator.close())
  return client
}

/** What a node announces, as a text. */
export const announcementOf = (node: string, text: string = node, life = '1') => ({
  node,
  incarnation: life,
  bytes: Buffer.from(text),
})

/** What is placed, as a text. */
export const placementOf = (subject: string, version: number, text = 'x') => ({
  subject,
  version,
  bytes: Buffer.from(text),
})
