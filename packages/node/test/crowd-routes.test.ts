/* A node whose viewers say something, over sockets and over HTTP: what is not heard is told why. */
import { connect } from '@fanfold/client'
import t from 'tap'
import { WebSocket } from 'ws'
import { startNode } from '../src/fanfold-node.ts'
import { mintToken } from '../src/viewer-tokens.ts'
import { doc, everything, Fleet, silent } from './start-rig.ts'

const definition = `
import { countBy, defineDocument, message, reducer } from 'fanfold'
import * as z from 'zod'
export default defineDocument({
  type: 'counter',
  state: () => ({ count: 0 }),
  messages: { add: message(z.object({}), state => { state.count++ }) },
  reducers: {
    cheer: reducer({ message: z.string(), into: countBy({ top: 4 }), apply: () => undefined }),
  },
  observe: { allow: viewer => viewer.id !== 'banned' },
})
`

t.test('what is said and not heard is told why, over a socket and over HTTP', async t => {
  const fleet = new Fleet(t)
  const directory = t.testdir({ 'crowd.ts': definition })
  const config = await fleet.config('node', {
    roles: ['authority', 'edge'],
    definitions: [`${directory}/crowd.ts`],
  })
  const node = await startNode({
    config,
    log: silent,
    fail: error => {
      throw error
    },
  })
  t.teardown(() => node.stop())
  const token = await everything()
  const live = connect(`ws://127.0.0.1:${node.port}`, { token, WebSocket })
  t.teardown(() => live.close())
  await live.send(doc, 'add', {})
  const observation = live.observe(doc)
  await new Promise<void>(resolve => {
    observation.subscribe(() => resolve())
  })
  await t.rejects(observation.add('boo', 'home'), { code: 'FANFOLD_NO_REDUCER', doc })
  await t.rejects(observation.add('cheer', 7), { code: 'FANFOLD_INVALID_VALUE', doc })
  t.equal(observation.status, 'live')

  const post = async (
    path: string,
    body: string,
    headers: Record<string, string> = { authorization: `Bearer ${token}` },
  ) => {
    const url = `http://127.0.0.1:${node.port}/v1/documents/${path}`
    const response = await fetch(url, { method: 'POST', body, headers })
    const answer: unknown = await response.json()
    return { status: response.status, headers: response.headers, answer }
  }
  const cheer = `${doc}/reducers/cheer`
  t.match(await post(`${doc}/reducers/boo`, '"home"'), {
    status: 404,
    answer: { code: 'FANFOLD_NO_REDUCER' },
  })
  t.match(await post(cheer, '7'), { status: 422, answer: { code: 'FANFOLD_INVALID_VALUE' } })
  t.match(await post(cheer, '{'), { status: 400, answer: { code: 'FANFOLD_BAD_FRAME' } })
  t.match(await post(`acme/counter/-no/reducers/cheer`, '1'), {
    status: 400,
    answer: { code: 'FANFOLD_BAD_KEY' },
  })
  t.match(await post(`${doc}/reducers/${'r'.repeat(81)}`, '1'), { status: 400 })
  t.match(await post(cheer, `"${'x'.repeat(65_536)}"`), { status: 413 })
  t.match(await post(cheer, '"home"', {}), {
    status: 401,
    answer: { code: 'FANFOLD_UNAUTHORIZED' },
  })
  const bomb = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  t.match(await post(cheer, bomb), { status: 422, answer: { code: 'FANFOLD_INVALID_VALUE' } })
  const banned = await mintToken({
    key: config.tokenKey ?? '',
    subject: 'banned',
    documents: ['**'],
    allow: ['observe'],
    ttlMs: 60_000,
  })
  const asBanned = { authorization: `Bearer ${banned}` }
  t.match(await post(cheer, '"home"', asBanned), {
    status: 403,
    answer: { code: 'FANFOLD_FORBIDDEN' },
  })
  const isAsync = { authorization: `Bearer ${token}`, prefer: 'wait=5, respond-async' }
  t.match(await post(cheer, '"home"', isAsync), {
    status: 202,
    answer: { status: 'accepted' },
  })
  let last = await post(cheer, '7')
  for (let time = 0; time < 100 && last.status !== 503; time++) last = await post(cheer, '7')
  t.match(last, { status: 503, answer: { code: 'FANFOLD_OVERLOADED' } })
  t.equal(last.headers.get('retry-after'), '1')
})
