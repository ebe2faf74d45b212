import fc from 'fast-check'
import t from 'tap'
import { describeRedisAddress, parseRedisAddress, RedisAddressError } from '../src/redis-address.ts'

t.test('each way to name a Redis is read, and shown without what is secret', async t => {
  const shown: Record<string, string> = {
    'redis://cache': 'redis://cache:6379',
    'redis://cache:7000/3': 'redis://cache:7000/3',
    'rediss://u:p%40ss@cache': 'rediss://cache:6379',
    'redis://[::1]:7000': 'redis://[::1]:7000',
    'redis+sentinel://a,b:26380/main': 'redis+sentinel://a:26379,b:26380/main',
    'rediss+cluster://:p@a:1,b:2/': 'rediss+cluster://a:1,b:2',
  }
  for (const [text, expected] of Object.entries(shown)) {
    t.equal(describeRedisAddress(parseRedisAddress(text)), expected)
  }
})

t.test('user and password are decoded, and either may be left out', async t => {
  const credentials = (text: string) => {
    const { username, password } = parseRedisAddress(`redis://${text}cache`)
    return [username, password]
  }
  t.same(credentials(''), [undefined, undefined])
  t.same(credentials('u:p%3A%2F@'), ['u', 'p:/'])
  t.same(credentials(':p@'), [undefined, 'p'])
  t.same(credentials('u@'), ['u', undefined])
})

t.test('a sentinel has a master, a server a database', async t => {
  t.match(parseRedisAddress('redis+sentinel://a/main'), { kind: 'sentinel', masterName: 'main' })
  t.match(parseRedisAddress('redis://a/15'), { kind: 'server', database: 15 })
  t.match(parseRedisAddress('rediss+cluster://a'), { kind: 'cluster', isTls: true, database: 0 })
})

t.test('what is no address is refused, and nothing of it is told', async t => {
  const secret = 'hunter2'
  for (const text of [
    '',
    'cache:6379',
    `http://u:${secret}@cache`,
    `redis://u:${secret}@`,
    `redis://u:${secret}@a,b`,
    `redis://u:${secret}@a:0`,
    `redis://u:${secret}@a:70000`,
    `redis://u:${secret}@a:port`,
    `redis://u:${secret}@a/x`,
    `redis://u:${secret}@a/65536`,
    `redis://u:${secret}%@a`,
    `redis+sentinel://u:${secret}@a`,
    `redis+cluster://u:${secret}@a/1`,
    `redis://u:${secret}@a?tls=1`,
  ]) {
    try {
      parseRedisAddress(text)
      t.fail(`${text} is refused`)
    } catch (error) {
      t.ok(error instanceof RedisAddressError, text)
      t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), secret)
    }
  }
})

t.test('whatever a text is, it is read or refused', async t => {
  fc.assert(
    fc.property(fc.string(), text => {
      for (const whole of [text, `redis://${text}`, `redis+sentinel://${text}/main`]) {
        try {
          const { endpoints } = parseRedisAddress(whole)
          if (endpoints.length === 0) return false
        } catch (error) {
          if (!(error instanceof RedisAddressError)) return false
        }
      }
      return true
    }),
  )
  t.pass('held')
})
