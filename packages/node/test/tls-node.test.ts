/* Nodes over TLS in one process: what they tell each other of where they are, and that all of it ends. */
import { connect as connectRaw } from 'node:net'
import { connect } from '@fanfold/client'
import { TestAuthority } from '@fanfold/conformance'
import t from 'tap'
import { WebSocket } from 'ws'
import type { Config } from '../src/config.ts'
import { startNode } from '../src/fanfold-node.ts'
import { until } from './hostile-rig.ts'
import { doc, everything, Fleet, leftOpen, openHandles, silent } from './start-rig.ts'

const authority = new TestAuthority('authority of tests')
const tlsOptions = () => {
  const { certificate, privateKey } = authority.issue({ hosts: ['127.0.0.1'] })
  return {
    'tls.certificate': certificate,
    'tls.privateKey': privateKey,
    'tls.authorities': authority.certificate,
  }
}

/** A WebSocket of a program that believes the authority of the tests. */
class BelievingSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { ca: authority.certificate })
  }
}

await t.test('a tree over TLS serves viewers, takes a renewed certificate, and ends', async t => {
  const fleet = new Fleet(t)
  const common = { log: silent, fail: (error: unknown) => t.fail('fails', { error }) }
  const before = openHandles()
  const top = await startNode({
    ...common,
    config: await fleet.config('top', { roles: ['authority'], ...tlsOptions() }),
  })
  const parents = [`wss://127.0.0.1:${top.port}`]
  const config: Config = await fleet.config('low', { roles: ['edge'], parents, ...tlsOptions() })
  const edge = await startNode({ ...common, config })
  const connection = connect(`wss://127.0.0.1:${edge.port}`, {
    token: await everything(),
    WebSocket: BelievingSocket,
    writeUrl: `wss://127.0.0.1:${top.port}`,
  })
  const { seq } = await connection.send(doc, 'add', {})
  const seen: number[] = []
  const observation = connection.observe(doc)
  observation.subscribe(() => seen.push(seen.length))
  await until(() => seen.length > 0, 'a view')
  edge.reconfigure({ ...config, tls: (await fleet.config('low', { ...tlsOptions() })).tls })
  edge.reconfigure({
    ...config,
    tls: { certificate: undefined, privateKey: undefined, authorities: undefined },
  })
  const count = seen.length
  t.ok((await connection.send(doc, 'add', {})).seq > seq)
  await until(() => seen.length > count, 'the next view')
  // One whose handshake is never over holds up nobody.
  const still = connectRaw(edge.port, '127.0.0.1')
  still.on('error', () => undefined)
  await new Promise(resolve => still.once('connect', resolve))
  await edge.stop()
  await top.stop()
  connection.close()
  still.destroy()
  t.same(await leftOpen(before), [])
})
