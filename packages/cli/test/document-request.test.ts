import { once } from 'node:events'
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { httpUrl, requestDocument } from '../src/document-request.ts'

/** A node that answers every request in one way; the requests it got. */
async function fakeNode(t: Test, status: number, body: string, location?: string) {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    response.writeHead(status, location === undefined ? {} : { location }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return { requests, url: `ws://127.0.0.1:${port}` }
}

const settings = { token: 'tok', timeoutMs: 5_000, signal: new AbortController().signal }

await t.test('a request carries the token and comes back with its place in the log', async t => {
  const { requests, url } = await fakeNode(t, 200, '{"doc":"a/b/c","epoch":1,"seq":2}')
  t.match(await requestDocument('POST', 'a/b/c', { ...settings, url }), { epoch: 1, seq: 2 })
  await requestDocument('DELETE', 'a/b/c', { ...settings, url, token: undefined })
  t.same(requests, ['POST /v1/documents/a/b/c Bearer tok', 'DELETE /v1/documents/a/b/c undefined'])
})

await t.test('a request goes on with its token to the node that has the document', async t => {
  const owner = await fakeNode(t, 200, '{"doc":"a/b/c","epoch":3,"seq":4}')
  const location = `${httpUrl(owner.url)}/v1/documents/a/b/c`
  const { url } = await fakeNode(t, 307, '{"code":"FANFOLD_MOVED","message":"elsewhere"}', location)
  t.match(await requestDocument('POST', 'a/b/c', { ...settings, url }), { epoch: 3, seq: 4 })
  t.same(owner.requests, ['POST /v1/documents/a/b/c Bearer tok'])
})

await t.test('a request that is sent on for ever, or nowhere, ends', async t => {
  const circle = await fakeNode(t, 307, '', '/v1/documents/a/b/c')
  const request = (url: string) => requestDocument('POST', 'a/b/c', { ...settings, url })
  await t.rejects(request(circle.url), { code: 'FANFOLD_FAILED', message: /answered 307/ })
  t.equal(circle.requests.length, 6)
  for (const location of ['ftp://h/x', 'http://[', 'file:///x']) {
    const { url, requests } = await fakeNode(t, 307, '', location)
    await t.rejects(request(url), { code: 'FANFOLD_FAILED' }, location)
    t.equal(requests.length, 1)
  }
})

await t.test('a problem keeps the code of the node', async t => {
  const { url } = await fakeNode(t, 409, '{"code":"FANFOLD_EXISTS","message":"it exists"}')
  await t.rejects(requestDocument('POST', 'a/b/c', { ...settings, url }), {
    code: 'FANFOLD_EXISTS',
    message: 'it exists',
  })
})

await t.test('what is no node, no key or no address is told apart', async t => {
  const { url } = await fakeNode(t, 404, '<html>')
  const request = (doc: string, to: string) =>
    requestDocument('POST', doc, { ...settings, url: to })
  await t.rejects(request('a/b/c', url), { code: 'FANFOLD_FAILED', message: /answered 404/ })
  await t.rejects(request('a', url), { code: 'FANFOLD_BAD_KEY' })
  await t.rejects(request('a/b/c', 'ws://127.0.0.1:1'), { code: 'FANFOLD_UNREACHABLE' })
  const signal = AbortSignal.abort()
  await t.rejects(requestDocument('POST', 'a/b/c', { ...settings, url, signal }), {
    code: 'FANFOLD_INTERRUPTED',
  })
})

await t.test('the address for HTTP is that of the sockets', async t => {
  t.equal(httpUrl('ws://h:1/v1/write'), 'http://h:1')
  t.equal(httpUrl('wss://h/edge/2/v1/observe'), 'https://h/edge/2')
  t.equal(httpUrl('https://h/'), 'https://h')
  t.throws(() => httpUrl('h:1'), { code: 'FANFOLD_USAGE' })
})
