// The servers that every other is held against: a program in C that does nothing but send(2), `ws` as its README shows
// it, and an authority and an edge with rules and ten cohorts. Needs a C compiler.
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadAddon } from '@fanfold/native'
import { mintToken } from '@fanfold/node'
import { WebSocket } from 'ws'
import { startNode, token, tokenKey } from '../start-node.mjs'
import { deltaOf } from './delta.mjs'
import { startLineServer } from './line-server.mjs'
import { cores, pin } from './processes.mjs'
import { underWay } from './turn.mjs'

const doc = 'bench/match/final'
const tiers = 10
const file = name => fileURLToPath(new URL(name, import.meta.url))

/** How each is started, by name, the native addon only where it was built; what they write goes into the directory. */
export function baseServers(directory) {
  const limit = join(directory, 'limit')
  execFileSync('cc', ['-O2', '-o', limit, file('./limit.c')])
  return {
    limit: () => startLineServer(limit, ['1']),
    'limit, joined': () => startLineServer(limit, [String(underWay)]),
    ws: () => startLineServer(process.execPath, [file('./ws-process.mjs')]),
    fanfold: () => startFanfold(directory, { native: false }),
    ...(loadAddon().kind === 'loaded' && {
      'fanfold, native': () => startFanfold(directory, { native: true }),
    }),
  }
}

/** An authority, and an edge, with the native addon or without, that says how long its turns take where that is asked. */
export async function startFanfold(directory, { native, watchesLoop = false }) {
  const data = mkdtempSync(join(directory, 'data-'))
  const definitions = [file('../definitions/match.ts')]
  const roles = ['authority']
  const authority = await startNode({ name: 'authority', roles, definitions, data })
  const edge = await startNode({
    name: 'edge',
    roles: ['edge'],
    parents: [authority.url],
    native,
    // As docs/operations.md says that an edge does well to be started, and what `fanfold serve` tells it.
    nodeArguments: ['--max-semi-space-size=1', '--heap-growing-percent=10'],
    environment: watchesLoop ? { BENCH_LOOP: '1' } : {},
    'limits.handshakesPerSecondMax': 100_000,
    'limits.handshakesBurst': 100_000,
  })
  for (const { child } of [authority, edge]) pin(cores.server, child.pid)
  const tokens = await Promise.all(
    Array.from({ length: tiers }, (_, tier) =>
      mintToken({
        key: tokenKey,
        subject: `viewer-${tier}`,
        documents: ['**'],
        allow: ['observe'],
        claims: { tier: `tier-${tier}` },
        ttlMs: 3_600_000,
      }),
    ),
  )
  const writer = new WebSocket(`${authority.url}/v1/write`, ['fanfold.v1', `bearer.${token}`])
  await new Promise((resolve, reject) => writer.once('open', resolve).once('error', reject))
  let whenCommitted = () => undefined
  writer.on('message', data => {
    const frame = JSON.parse(data)
    if (frame.type !== 'committed') throw new Error(String(data))
    whenCommitted()
  })
  const publish = number => {
    const value = deltaOf(number)
    const id = String(number)
    writer.send(JSON.stringify({ type: 'send', doc, message: 'publish', value, id }))
  }
  // A document is there once it was written to.
  await new Promise(resolve => {
    whenCommitted = resolve
    publish(0)
  })
  return {
    pids: [authority.child.pid, edge.child.pid],
    viewers: {
      urls: [`${edge.url}/v1/observe`],
      protocolLists: tokens.map(shown => ['fanfold.v1', `bearer.${shown}`]),
      firsts: [{ text: JSON.stringify({ type: 'observe', doc }) }],
      ready: { text: '{"type":"snapshot"' },
      marks: { number: '"path":"/live/seq","value":', time: '"path":"/live/t","value":' },
    },
    publish,
    loop: () => edge.measure('loop'),
    async stop() {
      writer.terminate()
      await edge.kill()
      await authority.kill()
    },
  }
}
