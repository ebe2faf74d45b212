import { RedisServer } from '@fanfold/nemesis'
import t, { type Test } from 'tap'
import { RedisConnection } from '../src/redis-connection.ts'
import { RedisFailure } from '../src/redis-failure.ts'
import { loadScript } from '../src/redis-script.ts'

const server = await RedisServer.start(t)

function connect(t: Test, address = server.address): RedisConnection {
  const connection = new RedisConnection({
    address,
    connectionName: 'for-a-test',
    connectWithinMs: 200,
    silenceMaxMs: 200,
    seed: 'test',
  })
  t.teardown(() => connection.close())
  return connection
}

/** How something failed. */
const kindOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(String, error => (error instanceof RedisFailure ? error.kind : String(error)))

t.test('a command before there is a connection fails at once, and is not sent later', async t => {
  const connection = connect(t)
  t.equal(await kindOf(connection.call(['set', 'early', '1'])), 'not-sent')
  t.equal(String(await connection.ask(() => connection.call(['ping']), 2_000)), 'PONG')
  t.equal(await server.client.exists('early'), 0)
})

t.test(
  'bytes go and come as they are, and the server knows what the connection is for',
  async t => {
    const connection = connect(t)
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte).subarray(3)
    await connection.ask(() => connection.call(['set', 'bytes', bytes]), 2_000)
    t.same(await connection.call(['get', 'bytes']), Buffer.from(bytes))
    t.match(await server.client.client('LIST'), /name=for-a-test/)
  },
)

t.test('commands in one go are answered in order, or fail as one of them does', async t => {
  const connection = connect(t)
  await connection.ask(() => connection.call(['del', 'list']), 2_000)
  t.same(
    await connection.callAll([
      ['rpush', 'list', 'a'],
      ['rpush', 'list', 'b'],
    ]),
    [1, 2],
  )
  const wrong = connection.callAll([
    ['rpush', 'list', 'c'],
    ['hget', 'list', 'field'],
  ])
  t.equal(await kindOf(wrong), 'wrong-type')
})

t.test('what only asks is asked again until its time is over', async t => {
  const connection = connect(t)
  await connection.ask(() => connection.call(['ping']), 2_000)
  server.pause()
  t.teardown(() => server.resume())
  const asked = connection.ask(() => connection.call(['ping']), 300)
  t.match(await kindOf(asked), /no-answer|not-sent/)
  const later = connection.ask(() => connection.call(['ping']), 5_000)
  server.resume()
  t.equal(String(await later), 'PONG')
})

t.test('a failure that does not pass is not asked again', async t => {
  const connection = connect(t)
  let attempts = 0
  const asked = connection.ask(async () => {
    attempts++
    throw new RedisFailure('refused', 'no')
  }, 5_000)
  t.equal(await kindOf(asked), 'refused')
  t.equal(attempts, 1)
})

t.test('a connection that is closed ends what waits for it', async t => {
  const gone = server.address.replace(/\d+$/, '1')
  const connection = connect(t, gone)
  const asked = connection.ask(() => connection.call(['ping']), 60_000)
  connection.close()
  await t.rejects(asked, RedisFailure)
})

t.test(
  'a script is loaded with the number of its keys, and one that is not there is said so',
  async t => {
    t.match(loadScript('append-records-3'), { keyCount: 3, digest: /^[0-9a-f]{40}$/ })
    t.throws(() => loadScript('no-script-1'), { code: 'ENOENT' })
  },
)
