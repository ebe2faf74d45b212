/* Stores on a real server, in the hands of tests. */

import { LogClient, sha256 } from '@fanfold/conformance'
import type { LogInput } from '@fanfold/document'
import { until } from '@fanfold/nemesis'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import type { Test } from 'tap'
import type { RedisLogStoreOptions } from '../src/redis-log-options.ts'
import { createRedisLogStore } from '../src/redis-log-store.ts'

/** The document of most tests. */
export const doc = parseDocumentKey('acme/match/final')

/** What a store is made with, beside what every test needs. */
export type StoreOptions = Partial<RedisLogStoreOptions> & { readonly address: string }

/** A store that ends with its test; a fatal error fails the test unless it is expected. */
export function makeClient(t: Test, options: StoreOptions): LogClient {
  const client = new LogClient(receive =>
    createRedisLogStore({
      nodeId: 'node-1',
      sha256,
      receive,
      onFatal: error => t.fail('nothing is fatal', { error }),
      closeWithinMs: 100,
      ...options,
      // A server's is no field of its own.
      address: options.address,
    }),
  )
  t.teardown(() => client.store.close())
  return client
}

/** Resolves with the first input of a kind that a store tells of a document, from now on or before. */
export async function told(
  client: LogClient,
  kind: LogInput['kind'],
  ofDoc: DocumentKey = doc,
): Promise<LogInput | undefined> {
  const find = () => client.inputs.find(input => input.kind === kind && input.doc === ofDoc)
  await until('it is answered', () => find() !== undefined)
  return find()
}
