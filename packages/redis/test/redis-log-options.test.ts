import { sha256 } from '@fanfold/conformance'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { logKeysOf } from '../src/log-keys.ts'
import { limitsOf, type RedisLogStoreOptions, redisLogDefaults } from '../src/redis-log-options.ts'

const limits = (options: Partial<RedisLogStoreOptions>) =>
  limitsOf({
    address: 'redis://localhost',
    nodeId: 'node-1',
    sha256,
    receive: () => undefined,
    ...options,
  })

t.test('what is not said is the default', async t => {
  t.same(limits({ replicas: undefined }), redisLogDefaults)
  t.same(limits({ keyPrefix: 'x:', replicas: 2 }), {
    ...redisLogDefaults,
    keyPrefix: 'x:',
    replicas: 2,
  })
})

t.test('each bound is checked at its ends', async t => {
  t.doesNotThrow(() => limits({ replicas: 10, replicasWithinMs: 2_999, opensAtWorkMax: 1 }))
  const refused: Partial<RedisLogStoreOptions>[] = [
    { replicas: 11 },
    { replicas: -1 },
    { replicas: 1.5 },
    { replicasWithinMs: 3_000 },
    { replicasWithinMs: 500, silenceMaxMs: 500 },
    { opensAtWorkMax: 0 },
    { bytesWaitingMax: 0.5 },
    { keyPrefix: 'a{b' },
    { keyPrefix: 'a}b' },
    { keyPrefix: 'x'.repeat(101) },
  ]
  for (const options of refused) {
    t.throws(() => limits(options), { name: 'RangeError' }, JSON.stringify(options))
  }
})

t.test('the keys of a document share its hash tag', async t => {
  const keys = logKeysOf('fanfold:', parseDocumentKey('acme/match/final'))
  for (const key of Object.values(keys)) t.match(key, /^fanfold:\{acme\/match\/final\}:[a-z:]+$/)
})
