import t, { type Test } from 'tap'
import { startNode } from '../src/index.ts'
import { doc, Fleet, silent } from './start-rig.ts'

const adminToken = 'an-admin-token-for-tests-0123456789'
const json = { 'content-type': 'application/json' }

/** A node, and how often it was asked to go. */
async function start(
  t: Test,
  values: Readonly<Record<string, unknown>> = {},
): Promise<{ url: string; asked: () => number }> {
  const config = await new Fleet(t).config('authority', values)
  let asked = 0
  const node = await startNode({
    config,
    log: silent,
    fail: error => t.fail('the node gave itself up', { error }),
    drainAsked: () => asked++,
  })
  t.teardown(() => node.stop())
  return { url: `http://127.0.0.1:${node.adminPort}`, asked: () => asked }
}

t.test('a node is asked to go once, and says how far it is', async t => {
  const { url, asked } = await start(t)
  const before = await (await fetch(`${url}/admin/drain`)).json()
  t.match(before, { node: 'authority', isDraining: false, viewers: 0, children: 0, documents: 0 })
  for (const body of ['', '{}', '{"scope":"process"}']) {
    const answer = await fetch(`${url}/admin/drain`, { method: 'POST', headers: json, body })
    t.equal(answer.status, 202, body)
    const { incarnation } = before as { incarnation: string }
    t.match(await answer.json(), { incarnation, isDraining: true, deadlineMs: 30_000 })
  }
  t.equal(asked(), 1)
})

t.test('what is asked otherwise is refused, and does nothing', async t => {
  const { url, asked } = await start(t)
  const post = async (body: string, headers: Record<string, string>): Promise<unknown> => {
    const answer = await fetch(`${url}/admin/drain`, { method: 'POST', headers, body })
    return [answer.status, ((await answer.json()) as { code: string }).code]
  }
  t.same(await post('{"scope":"tenant"}', json), [422, 'FANFOLD_INVALID_VALUE'])
  t.same(await post('[]', json), [422, 'FANFOLD_NOT_JSON'])
  t.same(await post('{', json), [422, 'FANFOLD_NOT_JSON'])
  t.same(await post(`{"x":"${'y'.repeat(2_000)}"}`, json), [413, 'FANFOLD_FRAME_TOO_LARGE'])
  t.same(await post('{}', { 'content-type': 'text/plain' }), [403, 'FANFOLD_FORBIDDEN'])
  const ofPage = { ...json, origin: 'https://evil.example' }
  t.same(await post('{}', ofPage), [403, 'FANFOLD_FORBIDDEN'], 'a page may not ask')
  t.equal((await fetch(`${url}/admin/drain`, { method: 'DELETE' })).status, 404)
  t.equal(asked(), 0)
})

t.test('with an admin token whoever asks shows it', async t => {
  const { url, asked } = await start(t, { adminToken })
  const ask = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`${url}/admin/drain`, { method: 'POST', headers, body: '{}' })).status
  t.equal(await ask(json), 401)
  t.equal((await fetch(`${url}/admin/drain`)).status, 401)
  t.equal(await ask({ ...json, authorization: `Bearer ${adminToken}` }), 202)
  t.equal(asked(), 1)
})

t.test('of a document it is told how far it is here', async t => {
  const { url } = await start(t)
  const key = encodeURIComponent(doc)
  const vacant = await (await fetch(`${url}/admin/topology?doc=${key}`)).json()
  t.match(vacant, { node: 'authority', document: { doc, here: {} } })
  const bad = await fetch(`${url}/admin/topology?doc=nothing`)
  t.equal(bad.status, 400)
  t.match(await bad.json(), { code: 'FANFOLD_BAD_KEY' })
  t.notOk('document' in ((await (await fetch(`${url}/admin/topology`)).json()) as object))
})

t.test('where nobody can ask nothing is there', async t => {
  const config = await new Fleet(t).config('authority', {})
  const node = await startNode({ config, log: silent, fail: () => undefined })
  t.teardown(() => node.stop())
  const url = `http://127.0.0.1:${node.adminPort}/admin/drain`
  t.equal((await fetch(url, { method: 'POST', headers: json, body: '{}' })).status, 404)
})
