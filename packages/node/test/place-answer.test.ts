import t, { type Test } from 'tap'
import { adminRoutes } from '../src/admin-routes.ts'
import { HttpListener } from '../src/http-listener.ts'
import type { PlacingSource } from '../src/place-answer.ts'
import { until } from './hostile-rig.ts'
import { openSpace, PlacingNode } from './placing-rig.ts'
import { silent } from './start-rig.ts'

const doc = 'acme/match/final'
const json = { 'content-type': 'application/json' }
const adminToken = 'an-admin-token-for-tests-0123456789'

type Answer = { readonly status: number; readonly body: Record<string, unknown> }

/** An admin port that answers about placements alone. */
async function listen(
  t: Test,
  placing: () => PlacingSource | undefined,
  token: string | undefined = undefined,
) {
  const routes = adminRoutes({
    notReady: () => [],
    suspects: () => 0,
    metrics: async () => ({ text: '', type: '' }),
    topology: async () => ({}),
    standing: () => ({ mode: 'alone' }),
    drain: undefined,
    placing,
    adminToken: token,
  })
  const listener = new HttpListener(routes, silent)
  const port = await listener.listen(0, '127.0.0.1')
  t.teardown(() => listener.close())
  const url = `http://127.0.0.1:${port}/admin/place`
  const answerOf = async (response: Response): Promise<Answer> => ({
    status: response.status,
    body: JSON.parse((await response.text()) || '{}'),
  })
  return {
    url,
    get: async (query = ''): Promise<Answer> => await answerOf(await fetch(`${url}${query}`)),
    post: async (body: unknown, headers: Record<string, string> = json): Promise<Answer> => {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      return await answerOf(await fetch(url, { method: 'POST', headers, body: text }))
    },
  }
}

/** Two authorities and an edge, of which the edge is asked. */
async function start(t: Test) {
  const nodes = await PlacingNode.startAll(t, openSpace(), {
    a: {},
    b: { tenants: { allow: ['*'], deny: ['secret'] } },
    edge: { roles: ['edge'] },
  })
  const [, , edge] = nodes as [PlacingNode, PlacingNode, PlacingNode]
  return { ...(await listen(t, () => edge.source)), nodes, edge }
}

await t.test('a document is placed and released, and it is told what is placed', async t => {
  const { get, post, edge } = await start(t)
  const owner = edge.machine.placement?.ownerNameOf(doc as never)
  const other = owner === 'a' ? 'b' : 'a'
  t.match(await get(`?subject=${doc}`), {
    status: 200,
    body: { asked: 'here', subject: doc, version: 0, owner, next: other, why: 'rendezvous' },
  })
  const order = { doc, node: other, why: 'nearer', who: 'ada', expectedVersion: 0 }
  const placed = {
    subject: doc,
    version: 1,
    epoch: 1,
    node: other,
    state: 'active',
    who: 'ada',
    why: 'nearer',
    at: /^\d{4}-\d\d-\d\dT/,
  }
  t.match(await post(order), { status: 200, body: { subject: doc, isChanged: true, placed } })
  t.match(await get(`?subject=${doc}`), {
    body: { version: 1, placed, owner: other, why: 'placement', by: doc, authorities: ['a', 'b'] },
  })
  t.match(await get(), { status: 200, body: { placements: [placed], isFrozen: false } })
  await until(() => edge.machine.behind.length === 0, 'all have heard')
  t.match(await get(), { body: { behind: [] } })
  t.match(await post(order), {
    status: 409,
    body: { code: 'FANFOLD_PLACEMENT_CONFLICT', message: /ada has placed it on/ },
  })
  t.match(await post({ doc, node: null, why: 'over' }), {
    body: { isChanged: true, placed: { node: null, version: 2, who: /admin port/ } },
  })
  t.match(await get(`?subject=${doc}`), { body: { version: 2, owner, why: 'rendezvous' } })
  t.match(await post({ doc, node: null, why: 'over' }), { status: 200, body: { isChanged: false } })
})

await t.test('a tenant is placed, and the documents that stand apart are told', async t => {
  const { get, post } = await start(t)
  t.match(await get('?subject=acme'), {
    body: { version: 0, why: 'rendezvous', authorities: ['a', 'b'], apart: [], apartCount: 0 },
  })
  t.equal((await post({ tenant: 'acme', node: 'a', why: 'x' })).status, 200)
  t.equal((await post({ subject: doc, node: 'b', why: 'x' })).status, 200)
  t.match(await get('?subject=acme'), {
    body: { owner: 'a', why: 'placement', apart: [{ subject: doc, node: 'b' }], apartCount: 1 },
  })
  t.match(await get('?subject=acme/match/other'), {
    body: { owner: 'a', by: 'acme', version: 0, isLiveHere: true },
  })
  t.notOk(
    'isLiveHere' in (await get(`?subject=${doc}`)).body,
    'of what is not here nothing is said',
  )
  t.match(await get('?subject=secret'), { body: { authorities: ['a'] } })
  const refused = await post({ tenant: 'secret', node: 'b', why: 'x' })
  t.match(refused, { status: 422, body: { code: 'FANFOLD_PLACED_NODE', message: /take it: a$/ } })
})

await t.test('what a tenant may take is said, told with what it has, and taken away', async t => {
  const { get, post } = await start(t)
  const order = { tenant: 'acme', why: 'as agreed', who: 'ada' }
  t.match(await post({ ...order, quota: { viewersMax: 100, bytesPerSecondMax: 65_536 } }), {
    status: 200,
    body: {
      isChanged: true,
      placed: { node: null, version: 1, quota: { viewersMax: 100, bytesPerSecondMax: 65_536 } },
    },
  })
  t.match(await get('?subject=acme'), {
    body: {
      placed: { quota: { viewersMax: 100 } },
      quota: { tenant: 'acme', whole: { viewersMax: 100 }, used: { viewers: 0 } },
      why: 'rendezvous',
    },
  })
  t.match(await post({ ...order, quota: { viewersMax: null }, expectedVersion: 0 }), {
    status: 409,
  })
  const { body } = await post({ ...order, quota: { viewersMax: null }, expectedVersion: 1 })
  t.same((body['placed'] as Record<string, unknown>)['quota'], { bytesPerSecondMax: 65_536 })
  t.notOk('quota' in ((await post({ ...order, quota: null })).body['placed'] as object))
  t.notOk('quota' in (await get('?subject=acme')).body)
})

await t.test('an order that is not what it must be is refused, and changes nothing', async t => {
  const { get, post, edge } = await start(t)
  const good = { doc, node: 'a', why: 'x' }
  const orders: [unknown, number, string, RegExp][] = [
    ['[]', 422, 'FANFOLD_NOT_JSON', /JSON object/],
    ['{', 422, 'FANFOLD_NOT_JSON', /JSON object/],
    [{}, 422, 'FANFOLD_INVALID_VALUE', /node is the name/],
    [{ ...good, node: undefined }, 422, 'FANFOLD_INVALID_VALUE', /or null to release, got nothing/],
    [{ ...good, node: '' }, 422, 'FANFOLD_INVALID_VALUE', /node is the name/],
    [{ ...good, why: undefined }, 422, 'FANFOLD_INVALID_VALUE', /why is a text/],
    [{ ...good, why: '  ' }, 422, 'FANFOLD_INVALID_VALUE', /why is a text/],
    [{ ...good, why: 'x'.repeat(513) }, 422, 'FANFOLD_INVALID_VALUE', /at most 512 characters/],
    [{ ...good, who: 7 }, 422, 'FANFOLD_INVALID_VALUE', /who is a text/],
    [{ ...good, who: '' }, 422, 'FANFOLD_INVALID_VALUE', /who is 1 to 128/],
    [{ ...good, expectedVersion: '1' }, 422, 'FANFOLD_INVALID_VALUE', /expectedVersion is/],
    [{ ...good, expectedVersion: -1 }, 422, 'FANFOLD_INVALID_VALUE', /expectedVersion is/],
    [{ ...good, quota: null }, 422, 'FANFOLD_INVALID_VALUE', /one of them in an order/],
    [{ doc, quota: null, why: 'x' }, 422, 'FANFOLD_INVALID_VALUE', /a quota is a tenant’s/],
    [{ tenant: 'acme', quota: 7, why: 'x' }, 422, 'FANFOLD_INVALID_VALUE', /quota is an object/],
    [{ tenant: 'acme', quota: {}, why: 'x' }, 422, 'FANFOLD_INVALID_VALUE', /at least one of/],
    [
      { tenant: 'acme', quota: { viewers: 7 }, why: 'x' },
      422,
      'FANFOLD_INVALID_VALUE',
      /no "viewers", but documentsMax/,
    ],
    [
      { tenant: 'acme', quota: { viewersMax: -1 }, why: 'x' },
      422,
      'FANFOLD_INVALID_VALUE',
      /viewersMax is a whole number of at least 0, or null, got -1/,
    ],
    [
      { tenant: 'acme', quota: { bytesPerSecondMax: 1_023 }, why: 'x' },
      422,
      'FANFOLD_INVALID_VALUE',
      /at least 1024/,
    ],
    [{ ...good, expectVersion: 1 }, 422, 'FANFOLD_INVALID_VALUE', /no field "expectVersion"/],
    [{ node: 'a', why: 'x' }, 422, 'FANFOLD_INVALID_VALUE', /one of subject, tenant and doc/],
    [{ ...good, tenant: 'acme' }, 422, 'FANFOLD_INVALID_VALUE', /one of subject, tenant and doc/],
    [{ ...good, doc: 'acme' }, 400, 'FANFOLD_BAD_KEY', /doc is <tenant>/],
    [{ tenant: doc, node: 'a', why: 'x' }, 400, 'FANFOLD_BAD_KEY', /tenant is a tenant/],
    [{ subject: 'a/b', node: 'a', why: 'x' }, 400, 'FANFOLD_BAD_KEY', /a tenant, or a document/],
    [{ subject: 7, node: 'a', why: 'x' }, 400, 'FANFOLD_BAD_KEY', /got 7/],
    [{ ...good, why: 'x'.repeat(9_000) }, 413, 'FANFOLD_FRAME_TOO_LARGE', /8192 bytes/],
  ]
  for (const [order, status, code, message] of orders) {
    t.match(await post(order), { status, body: { code, message } }, JSON.stringify(order))
  }
  t.match(await post(good, { 'content-type': 'text/plain' }), { status: 403 })
  t.match(await post(good, { ...json, origin: 'https://evil.example' }), { status: 403 })
  t.match(await get('?subject=a/b'), { status: 400, body: { code: 'FANFOLD_BAD_KEY' } })
  t.same([...(edge.machine.placement?.entries ?? [])], [])
})

await t.test('where nothing is known, or there is no fleet, that is said', async t => {
  const { edge } = await start(t)
  const young = await listen(t, () => ({ ...edge.source, placement: undefined }))
  t.match(await young.get(), { status: 503, body: { code: 'FANFOLD_COORDINATOR_UNREACHABLE' } })
  const alone = await listen(t, () => undefined)
  const none = { status: 404, body: { code: 'FANFOLD_NO_ROUTE', message: /redis\.url/ } }
  t.match(await alone.get(), none)
  t.match(await alone.post({ doc, node: 'a', why: 'x' }), none)
  t.equal((await fetch(alone.url, { method: 'DELETE' })).status, 404)
})

await t.test('with an admin token whoever asks shows it', async t => {
  const { edge } = await start(t)
  const { get, post } = await listen(t, () => edge.source, adminToken)
  t.equal((await get()).status, 401)
  const order = { doc, node: 'a', why: 'x' }
  t.equal((await post(order)).status, 401)
  t.same([...(edge.machine.placement?.entries ?? [])], [])
  t.equal((await post(order, { ...json, authorization: `Bearer ${adminToken}` })).status, 200)
})
