import { testCoordinatorPort } from '@fanfold/conformance'
import { RedisServer } from '@fanfold/nemesis'
import type { Coordinator } from '@fanfold/topology'
import t from 'tap'
import { createRedisCoordinator } from '../src/redis-coordinator.ts'
import { Relay } from './relay.ts'

const placementsMax = 5
/** Where nobody listens. */
const nowhere = 1

const server = await RedisServer.start(t)
let rigs = 0

/** All that the user of a coordinator needs; the README says the same. */
const rights = [
  ...['time', 'zadd', 'zcard', 'zrange', 'zrangebyscore', 'zrem', 'zrevrange', 'hget', 'hset'],
  ...['hdel', 'hlen', 'del', 'pexpire', 'lindex', 'lpush', 'ltrim', 'setrange', 'publish'],
  ...['subscribe', 'ping', 'eval', 'evalsha', 'info', 'client', 'hello'],
].map(name => `+${name}`)
const keysAndChannel = ['~rig-*', 'resetchannels', '&rig-*:hints']
server.commandNow('ACL', 'SETUSER', 'node', 'on', '>secret', ...keysAndChannel, '-@all', ...rights)

testCoordinatorPort(t, async () => {
  const keyPrefix = `rig-${++rigs}:`
  const relay = await Relay.open(t, server.port)
  const coordinators: Coordinator[] = []
  return {
    open: receive => {
      const coordinator = createRedisCoordinator({
        address: relay.address.replace('//', '//node:secret@'),
        keyPrefix,
        nodeId: 'node-1',
        receive,
        onFatal: error => t.fail('nothing is fatal', { error }),
        placementsMax,
        lostAfterMs: 1_500,
      })
      coordinators.push(coordinator)
      return coordinator
    },
    placementsMax,
    setReachable: isReachable => relay.leadTo(isReachable ? server.port : nowhere),
    clear: async () => {
      const keys = await server.client.keys(`${keyPrefix}*`)
      if (keys.length > 0) await server.client.del(keys)
    },
    close: async () => {
      for (const coordinator of coordinators) await coordinator.close()
    },
  }
})
