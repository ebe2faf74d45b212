import t from 'tap'
import { adminRoutes } from '../src/admin-routes.ts'
import { startVictim, tokenFor, until } from './hostile-rig.ts'
import { openWebSocket } from './hostile-socket.ts'

const doc = 'acme/board/checked'

t.test(
  'a whole node checks what it shows, against its own authority, and metrics tell',
  async t => {
    const node = await startVictim(t, { 'limits.viewCheckEveryMs': '10ms' })
    const token = await tokenFor()
    const writer = await openWebSocket(node.port, '/v1/write', token)
    const viewer = await openWebSocket(node.port, '/v1/observe', token)
    const read = async (path: string): Promise<string> =>
      await (await fetch(`http://127.0.0.1:${node.adminPort}${path}`)).text()
    const counted = (metrics: string, check: string, outcome: string): number => {
      const labels = `check="${check}",outcome="${outcome}"`
      return Number(new RegExp(`view_checks_total\\{${labels}.*\\} (\\d+)`).exec(metrics)?.[1] ?? 0)
    }
    let metrics = ''
    let written = 0
    const isChecked = (): boolean =>
      ['state', 'view'].every(check => counted(metrics, check, 'equal') > 0)
    for (let round = 0; round < 2_000 && !isChecked(); round++) {
      writer.send({ type: 'send', doc, message: 'keep', value: round })
      written++
      await until(() => writer.frames().length >= written, 'a commit')
      if (round === 0) viewer.send({ type: 'observe', doc })
      metrics = await read('/metrics')
    }
    t.ok(isChecked())
    for (const check of ['state', 'view']) t.equal(counted(metrics, check, 'differs'), 0)
    t.match(metrics, /fanfold_documents_suspect\{.*\} 0/)
    t.equal(await read('/healthz'), '{"status":"ok","mode":"alone"}')
  },
)

t.test('health says how many documents are suspect, and that the node is to go on', async t => {
  const [route] = adminRoutes({
    notReady: () => [],
    suspects: () => 2,
    standing: () => ({ mode: 'parents', parents: 3 }),
    metrics: async () => ({ text: '', type: '' }),
    topology: () => Promise.resolve({}),
    adminToken: undefined,
    drain: undefined,
    placing: () => undefined,
  })
  const answer = await route?.({ method: 'GET' } as never, '/healthz')
  t.match(answer, {
    status: 200,
    body: '{"status":"suspect","documentsSuspect":2,"mode":"parents","parents":3}',
  })
})
