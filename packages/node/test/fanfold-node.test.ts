import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BuildError } from '@fanfold/build/variants'
import t from 'tap'
import { ConfigError } from '../src/config-error.ts'
import { type RunningNode, startNode } from '../src/fanfold-node.ts'
import {
  Crowd,
  chanceOf,
  doc,
  everything,
  Fleet,
  leftOpen,
  openHandles,
  silent,
  turns,
} from './start-rig.ts'

const rounds = 20

const unexpected = (error: unknown): void => {
  throw error
}

type HttpAnswer = { readonly seq?: number; readonly code?: string }

async function post(
  url: string,
  token: string,
): Promise<{ readonly status: number; readonly answer: HttpAnswer }> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(url, { method: 'POST', headers, body: '{}' })
  const answer: HttpAnswer = JSON.parse(await response.text())
  return { status: response.status, answer }
}

t.test('an authority and an edge end at any moment, and leave nothing open', async t => {
  const fleet = new Fleet(t)
  const failures: unknown[] = []
  const common = { log: silent, fail: (error: unknown) => failures.push(error) }
  const chance = chanceOf('nodes that end')
  const token = await everything()
  const before = openHandles()
  for (let round = 0; round < rounds; round++) {
    const top = await fleet.config('top', { roles: ['authority'] })
    const authority = await startNode({ config: top, ...common })
    const parents = [`ws://127.0.0.1:${authority.port}`]
    const low = await fleet.config('low', {
      roles: ['proxy', 'edge'],
      parents,
      // Half of them replay a log that grows with each round, the others take snapshots.
      disableSnapshot: round % 2 === 0,
      compression: round % 3 === 0,
      warm: fleet.directoryOf(`warm-${round % 4}`),
    })
    const edge = await startNode({ config: low, ...common })
    const crowd = new Crowd(
      { observe: `ws://127.0.0.1:${edge.port}`, write: `ws://127.0.0.1:${authority.port}` },
      token,
    )
    // From the handshake of the link, over viewers that join, to appends one after the other.
    const joining = chance.below(4)
    for (let viewer = 0; viewer < joining; viewer++) {
      crowd.join()
      await turns(chance.below(40))
    }
    await turns(chance.below(40))
    const nodes: RunningNode[] = chance.below(2) === 0 ? [authority, edge] : [edge, authority]
    if (chance.below(2) === 0) await Promise.all(nodes.map(node => node.stop()))
    else for (const node of nodes) await node.stop()
    crowd.leave()
    t.same(await leftOpen(before), [], `round ${round}`)
  }
  t.same(failures, [], 'nothing is in doubt')
})

t.test(
  'messages that are written while a node ends are answered, or cut off, never wrong',
  async t => {
    const fleet = new Fleet(t)
    const failures: unknown[] = []
    const config = await fleet.config('alone', { roles: ['authority'] })
    const token = await everything()
    const committed = new Set<number>()
    let highest = 0
    for (let round = 0; round < 5; round++) {
      const node = await startNode({ config, log: silent, fail: error => failures.push(error) })
      const url = `http://127.0.0.1:${node.port}/v1/documents/${doc}/messages/add`
      const { status, answer } = await post(url, token)
      t.equal(status, 200)
      const { seq = 0 } = answer
      t.ok(seq > highest, `${seq} comes after ${highest}: what was committed is in the log`)
      const statuses = Array.from({ length: 40 }, async () => {
        try {
          const { status, answer } = await post(url, token)
          if (status === 200) committed.add(answer.seq ?? 0)
          return status === 200 ? 'committed' : `${answer.code}`
        } catch {
          return 'cut off'
        }
      })
      await turns(round * 10)
      await node.stop()
      const outcomes = new Set(await Promise.all(statuses))
      for (const outcome of outcomes) {
        t.ok(['committed', 'FANFOLD_DRAINING', 'cut off'].includes(outcome), outcome)
      }
      highest = Math.max(seq, ...committed)
    }
    t.same(failures, [])
  },
)

t.test('stop may be called twice, and is one', async t => {
  const fleet = new Fleet(t)
  const config = await fleet.config('alone', {})
  const node = await startNode({ config, log: silent, fail: unexpected })
  t.equal(node.stop(), node.stop())
  await node.stop()
  await t.rejects(fetch(`http://127.0.0.1:${node.port}/`), 'nobody listens')
})

t.test('a node whose port is taken does not start, and leaves nothing open', async t => {
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const fleet = new Fleet(t)
  const before = openHandles()
  for (const values of [{ port }, { adminPort: port }]) {
    const config = await fleet.config('late', values)
    await t.rejects(startNode({ config, log: silent, fail: unexpected }), { code: 'EADDRINUSE' })
    t.same(await leftOpen(before), [])
  }
})

t.test('a node without its definition does not start, and leaves nothing open', async t => {
  const fleet = new Fleet(t)
  const before = openHandles()
  const config = await fleet.config('broken', { definitions: ['/nowhere/at-all.ts'] })
  await t.rejects(startNode({ config, log: silent, fail: unexpected }), BuildError)
  t.same(await leftOpen(before), [])
})

t.test('roles that lack what they need are refused with all that they lack', async t => {
  const fleet = new Fleet(t)
  const config = await fleet.config('lone', {
    roles: ['edge'],
    parents: ['ws://127.0.0.1:1'],
    tokenKey: undefined,
    'link.privateKey': undefined,
    'link.token': undefined,
  })
  const start = startNode({ config, log: silent, fail: unexpected })
  await t.rejects(start, ConfigError)
  const problems = await start.catch(error => (error instanceof ConfigError ? error.problems : []))
  t.same(Array.isArray(problems) && problems.map(({ place }) => place), ['link.token', 'tokenKey'])
})
