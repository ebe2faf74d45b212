import t from 'tap'
import { failureOf, RedisFailure, type RedisFailureKind } from '../src/redis-failure.ts'

const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' })

t.test('a reply says by its first word whether it may pass', async t => {
  const kinds: Record<string, RedisFailureKind> = {
    "OOM command not allowed when used memory > 'maxmemory'.": 'no-room',
    'MISCONF Redis is configured to save RDB snapshots': 'no-room',
    'LOADING Redis is loading the dataset in memory': 'not-now',
    "READONLY You can't write against a read only replica.": 'not-now',
    'CLUSTERDOWN The cluster is down': 'not-now',
    'TRYAGAIN Multiple keys request during rehashing of slot': 'not-now',
    'MOVED 3999 127.0.0.1:6381': 'not-now',
    'NOREPLICAS Not enough good replicas to write.': 'not-now',
    'BUSY Redis is busy running a script.': 'not-now',
    'ERR Error running script: Script killed by user with SCRIPT KILL': 'not-now',
    'WRONGTYPE Operation against a key': 'wrong-type',
    'NOPERM this user has no permissions': 'refused',
    'NOAUTH Authentication required.': 'refused',
    "ERR unknown command 'xadd'": 'refused',
    'ERR Error running script (call to f_6b): @user_script:9: -OOM command not allowed': 'no-room',
    "ERR Error running script (call to f_6b): @user_script: 9: -READONLY You can't write":
      'not-now',
  }
  for (const [message, kind] of Object.entries(kinds)) {
    t.equal(failureOf(reply(message)).kind, kind, message)
  }
})

t.test('what never left is told from what lost its answer', async t => {
  const closed = "Stream isn't writeable and enableOfflineQueue options is false"
  t.equal(failureOf(new Error(closed)).kind, 'not-sent')
  t.equal(failureOf(new Error('Connection is closed.')).kind, 'no-answer')
  t.equal(failureOf(new Error('Reached the max retries per request limit')).kind, 'no-answer')
})

t.test('what the library adds to its errors is not kept', async t => {
  const error = Object.assign(reply('WRONGPASS invalid username-password pair'), {
    command: { name: 'auth', args: ['hunter2'] },
  })
  const failure = failureOf(error)
  t.notMatch(JSON.stringify(failure, Object.getOwnPropertyNames(failure)), /hunter2/)
  t.equal(failure.cause, undefined)
  t.ok(failureOf(reply(`ERR ${'x'.repeat(5_000)}`)).message.length <= 300)
})

t.test('a failure stays what it is, and a mistake of ours is thrown on', async t => {
  const failure = new RedisFailure('not-now', 'later')
  t.equal(failureOf(failure), failure)
  t.throws(() => failureOf(new TypeError('a mistake')), { message: 'a mistake' })
})
