import { encodeUtf8 } from '@fanfold/kernel'
import t from 'tap'
import { WorkerIdentities, workerName } from '../src/edge-worker-identity.ts'
import { createLinkAuthenticator } from '../src/link-identity.ts'

const of = { node: 'edge-1', region: 'eu', ceiling: 3 }

/** A worker as it comes to its local proxy. */
async function workerOf(identities: WorkerIdentities, worker: number) {
  const link = await identities.ofWorker(worker)
  return await createLinkAuthenticator({ ...link, incarnation: '1' })
}

t.test('a worker and its local proxy know each other, with the ceiling of the node', async t => {
  const identities = new WorkerIdentities(of)
  const proxy = await identities.ofProxy()
  const worker = await workerOf(identities, 2)
  const seen = await proxy.verify(worker.token())
  t.same(seen.identity, { node: 'edge-1.worker-2', region: 'eu', roles: ['edge'], ceiling: 3 })
  const nonce = encodeUtf8('a nonce')
  t.ok(await seen.verifyProof(nonce, await worker.sign(nonce)))
  const above = await worker.verify(proxy.token())
  t.same(above.identity, { node: 'edge-1', region: 'eu', roles: ['proxy'], ceiling: 3 })
})

t.test(
  'nobody else is one: not who is a worker of another node, nor of an earlier start',
  async t => {
    const proxy = await new WorkerIdentities(of).ofProxy()
    const stranger = await workerOf(new WorkerIdentities(of), 1)
    await t.rejects(proxy.verify(stranger.token()), {
      code: 'FANFOLD_BAD_TOKEN',
      reason: 'signature',
    })
    await t.rejects(stranger.verify(proxy.token()), { code: 'FANFOLD_BAD_TOKEN' })
  },
)

t.test('a long name is cut, so that a link token may have it', async t => {
  const name = workerName('n'.repeat(80), 256)
  t.equal(name.length, 80)
  t.match(name, /^n+\.worker-256$/)
})
