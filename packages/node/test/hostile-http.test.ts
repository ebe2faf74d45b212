/* What a hostile HTTP client can do to a node that takes writes. */
import t from 'tap'
import { requestsAheadMax } from '../src/http-listener.ts'
import { startVictim, tokenFor, until } from './hostile-rig.ts'
import { openRaw } from './hostile-socket.ts'

const victim = await startVictim(t)
const token = await tokenFor()
const origin = `http://127.0.0.1:${victim.port}`

async function post(
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; code: unknown; text: string }> {
  const response = await fetch(`${origin}/v1/documents/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body,
  })
  const text = await response.text()
  return { status: response.status, code: JSON.parse(text).code, text }
}

t.test('values that no document may hold are refused, and nothing else notices', async t => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  const cases: [name: string, body: string, status: number, code: string | undefined][] = [
    ['deep arrays', nested(100_000), 422, 'FANFOLD_TOO_DEEP'],
    ['deep objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 422, 'FANFOLD_TOO_DEEP'],
    ['__proto__', '{"__proto__":{"polluted":1}}', 422, 'FANFOLD_FORBIDDEN_KEY'],
    ['constructor', '{"constructor":{"prototype":{"polluted":1}}}', 422, 'FANFOLD_FORBIDDEN_KEY'],
    ['a number past the range', '1e400', 422, 'FANFOLD_NOT_JSON'],
    ['a huge text', JSON.stringify('x'.repeat(60_000)), 413, 'FANFOLD_TOO_LARGE'],
    ['many members', `{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`)}}`, 200, undefined],
    ['-0', '-0', 200, undefined],
    ['lone surrogates', '{"\\ud800":"\\udfff"}', 200, undefined],
    [
      'members as of other objects',
      '{"then":"x","toJSON":1,"length":-1,"a":1,"a":2}',
      200,
      undefined,
    ],
    ['NaN', 'NaN', 400, 'FANFOLD_BAD_FRAME'],
    ['half a text', '{"a":', 400, 'FANFOLD_BAD_FRAME'],
    ['a byte order mark', '\ufeff{}', 400, 'FANFOLD_BAD_FRAME'],
  ]
  for (const [name, body, status, code] of cases) {
    for (const message of ['keep', 'merge']) {
      const answer = await post(`acme/board/json/messages/${message}`, body)
      if (message === 'keep') t.match(answer, { status, code }, name)
      t.not(answer.status, 500, `${name} to ${message}`)
    }
  }
  t.equal(Reflect.get({}, 'polluted'), undefined)
  t.ok(victim.stalledMs() < 1_000, 'the event loop goes on')
})

t.test('names from writers reach nothing but the document', async t => {
  const before = { isArray: Array.isArray, map: Array.prototype.map }
  const names = ['__proto__', 'constructor', 'prototype', 'push', 'map', 'toString', 'length']
  const columns = ['isArray', 'prototype', 'call', 'apply', 'from', 'polluted', '__proto__']
  for (const row of names) {
    for (const column of columns) {
      const marked = await post(
        'acme/board/names/messages/mark',
        JSON.stringify({ row, column, mark: 1 }),
      )
      t.not(marked.status, 500, `${row}.${column}`)
      const scored = await post(
        'acme/board/names/messages/score',
        JSON.stringify({ name: row, field: column, points: 1 }),
      )
      t.not(scored.status, 500, `${row}.${column}`)
    }
  }
  t.equal(Array.isArray, before.isArray)
  t.equal(Array.prototype.map, before.map)
  const holders: object[] = [Array, Array.prototype, Array.prototype.map, [].push, Object]
  for (const holder of holders) {
    for (const column of ['polluted', 'apply', 'call', 'isArray']) {
      if (holder === Array && column === 'isArray') continue
      t.notOk(Object.hasOwn(holder, column), column)
    }
  }
})

t.test('a body that is too large is answered, not cut off', async t => {
  const raw = await openRaw(victim.port)
  raw.send(
    `POST /v1/documents/acme/board/big/messages/keep HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 2000000\r\n\r\n`,
  )
  for (let sent = 0; sent < 2_000_000; sent += 100_000) raw.send('x'.repeat(100_000))
  await until(() => raw.received().includes('}'), 'an answer')
  t.match(raw.received(), /^HTTP\/1\.1 413 /)
  t.match(raw.received(), /FANFOLD_FRAME_TOO_LARGE/)
  raw.socket.destroy()
})

t.test('requests that no parser agrees on are refused', async t => {
  const heads = [
    'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n',
    'Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n',
    'Content-Length: -1\r\n\r\n',
    'Content-Length: 0x10\r\n\r\n',
    `X: ${'x'.repeat(20_000)}\r\n\r\n`,
    'X\u0000Y: 1\r\n\r\n',
  ]
  for (const head of heads) {
    const raw = await openRaw(victim.port)
    raw.send(
      `POST /v1/documents/acme/board/s/messages/keep HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${head}`,
    )
    await until(
      () => raw.isClosed || raw.received().includes('\r\n\r\n'),
      `an answer to ${head.slice(0, 40)}`,
    )
    t.match(raw.received().slice(0, 40), /^HTTP\/1\.1 4\d\d /, JSON.stringify(head.slice(0, 50)))
    raw.socket.destroy()
  }
})

t.test('paths that are tricks name nothing', async t => {
  const paths = [
    '/v1/documents/..%2f..%2fetc/board/x/messages/keep',
    '/v1/documents/acme/board/%00/messages/keep',
    '/v1/documents/acme/board/a%2fb/messages/keep',
    '/v1/documents/acme/board/%2e%2e/messages/keep',
    '/v1/documents/acme/board/%ff%fe/messages/keep',
    '/v1/documents/acme/board/%/messages/keep',
    '/v1/documents/acme//x/messages/keep',
    '/v1/documents/acme/__proto__/x/messages/keep',
    '/v1/documents/acme/board/x/messages/__proto__',
    '/v1/documents/acme/board/x/messages/constructor',
    `/v1/documents/acme/board/${'x'.repeat(10_000)}/messages/keep`,
    '//v1/documents/acme/board/x/messages/keep',
    'http://elsewhere/v1/documents/acme/board/x/messages/keep',
    '*',
  ]
  for (const path of paths) {
    for (const method of ['POST', 'DELETE', 'GET', 'PUT', 'OPTIONS', 'TRACE', 'HEAD']) {
      const raw = await openRaw(victim.port)
      raw.send(
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1`,
      )
      await until(() => raw.isClosed, `an answer to ${method} ${path}`)
      const answer = raw.received()
      t.match(answer, /^HTTP\/1\.1 4\d\d /, `${method} ${path.slice(0, 60)}`)
      t.notMatch(answer, /node_modules|at .*\.js:/)
      t.ok(answer.length < 1_000, 'the answer is short')
    }
  }
})

t.test('requests sent ahead of their answers are bounded, and cost nobody else', async t => {
  const raw = await openRaw(victim.port)
  const head = 'POST /v1/documents/acme/board/pipe/messages/keep HTTP/1.1\r\nHost: x\r\n'
  raw.send(`${head}Authorization: Bearer ${token}\r\nContent-Length: 1\r\n\r\n1`.repeat(20_000))
  await until(() => raw.isClosed, 'the end of the connection')
  t.ok((raw.received().match(/HTTP\/1\.1 200/g)?.length ?? 0) <= requestsAheadMax)
  t.match(await post('acme/board/pipe/messages/keep', '1'), { status: 200 })
})

t.test('connections that say nothing, or say it slowly, keep nobody out', async t => {
  const idle = await Promise.all(Array.from({ length: 1_000 }, () => openRaw(victim.port)))
  const slow = await openRaw(victim.port)
  slow.send('POST /v1/documents/acme/board/slow/messages/keep HTTP/1.1\r\n')
  const drip = setInterval(() => slow.send('x-a: 1\r\n'), 500)
  t.teardown(() => clearInterval(drip))
  t.match(await post('acme/board/slow/messages/keep', '1'), { status: 200 })
  await until(() => idle.every(raw => raw.isClosed) && slow.isClosed, 'the end of all', 14_000)
  t.match(slow.received(), /^HTTP\/1\.1 408 /)
})

t.test('logs hold no token and nothing of documents', async t => {
  await post('acme/board/leak/messages/leak', '"canary-of-a-value"')
  await post('acme/board/leak/messages/keep', '"canary-of-a-value"')
  const logged = victim.logged()
  t.notMatch(logged, /canary/)
  t.notOk(logged.includes(token))
  t.notMatch(logged, /mallory/)
})
