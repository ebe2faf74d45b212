import {
  logStoreSource,
  type OpenLogStoreRig,
  sha256,
  testLogFollowing,
  testLogStorePort,
  testRecordSource,
} from '@fanfold/conformance'
import type { LogStore } from '@fanfold/document'
import { RedisServer } from '@fanfold/nemesis'
import t from 'tap'
import type { RedisLogStoreOptions } from '../src/redis-log-options.ts'
import { createRedisLogStore } from '../src/redis-log-store.ts'

const variants: Record<string, Partial<RedisLogStoreOptions>> = {
  'as it comes': {},
  'with one of everything at work': {
    appendsAtWorkMax: 1,
    opensAtWorkMax: 1,
    readingsAtWorkMax: 1,
    snapshotsAtWorkMax: 1,
  },
}

const server = await RedisServer.start(t)
let rigs = 0

for (const [name, options] of Object.entries(variants)) {
  t.test(`a log store on Redis, ${name}`, async t => {
    const openRig: OpenLogStoreRig = async () => {
      const user = `rig-${++rigs}`
      const rights = ['on', '>secret', `~${user}:*`, '+@all']
      server.commandNow('ACL', 'SETUSER', user, ...rights)
      const stores: LogStore[] = []
      return {
        failReads: areFailing => {
          const sign = areFailing ? '-' : '+'
          server.commandNow('ACL', 'SETUSER', user, `${sign}xrange`, `${sign}lrange`)
        },
        open: receive => {
          const store = createRedisLogStore({
            address: `redis://${user}:secret@127.0.0.1:${server.port}`,
            keyPrefix: `${user}:`,
            nodeId: 'node-1',
            sha256,
            receive,
            onFatal: error => t.fail('nothing is fatal', { error }),
            ...options,
          })
          stores.push(store)
          return store
        },
        close: async () => {
          for (const store of stores) await store.close()
        },
      }
    }
    testLogStorePort(t, openRig)
    testLogFollowing(t, openRig)
    testRecordSource(t, logStoreSource(openRig))
  })
}
