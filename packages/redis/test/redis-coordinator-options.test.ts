import t from 'tap'
import {
  coordinatorLimitsOf,
  type RedisCoordinatorOptions,
  redisCoordinatorDefaults,
} from '../src/redis-coordinator-options.ts'

const options: RedisCoordinatorOptions = {
  address: 'redis://localhost',
  nodeId: 'node-1',
  receive: () => undefined,
}

t.test('what is not said is as the defaults say', async t => {
  t.same(coordinatorLimitsOf(options), redisCoordinatorDefaults)
  t.match(coordinatorLimitsOf({ ...options, membersMax: 5 }), { membersMax: 5, readEveryMs: 500 })
})

t.test('bounds and times are whole numbers of at least one', async t => {
  for (const wrong of [{ membersMax: 0 }, { readAllEveryMs: 1.5 }, { hintedEveryMs: -1 }]) {
    t.throws(() => coordinatorLimitsOf({ ...options, ...wrong }), RangeError)
  }
})

t.test('whoever watches is told often enough, and looks before all is lost', async t => {
  const limits = (more: object) => () => coordinatorLimitsOf({ ...options, ...more })
  t.throws(limits({ readEveryMs: 1_001 }), /readEveryMs is at most 1000, got 1001/)
  t.throws(limits({ lostAfterMs: 999 }), /at least twice readEveryMs, got 999 and 500/)
  t.doesNotThrow(limits({ readEveryMs: 1_000, lostAfterMs: 2_000 }))
})

t.test('keys begin without braces', async t => {
  t.throws(() => coordinatorLimitsOf({ ...options, keyPrefix: '{a}:' }), RangeError)
})
