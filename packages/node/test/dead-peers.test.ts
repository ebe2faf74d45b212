/* A node whose peers take connections and say nothing: whoever asks how it is does not wait for them. */
import { createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startNode } from '../src/fanfold-node.ts'
import { Fleet, silent } from './start-rig.ts'

const peersMax = 10

/** Takes connections, and answers nothing. */
class Hole {
  readonly sockets = new Set<Socket>()
  readonly #server: Server
  #taken = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(t: Test): Promise<Hole> {
    const server = createServer()
    const hole = new Hole(server)
    server.on('connection', socket => {
      hole.#taken++
      hole.sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => hole.sockets.delete(socket))
      socket.resume()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => hole.swallow())
    return hole
  }

  /** Connections taken so far. */
  get taken(): number {
    return this.#taken
  }

  /** An address of a peer that is here. */
  addressOf(peer: number): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('it listens')
    return `ws://127.0.0.1:${address.port}/peer-${peer}`
  }

  /** Ends what it has taken, and takes nothing any more. */
  swallow(): void {
    this.#server.close()
    for (const socket of this.sockets) socket.destroy()
  }
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise(resolve => setImmediate(resolve))
}

t.test('with ten dead peers a node says at once how it is', async t => {
  const hole = await Hole.open(t)
  const peers = Array.from({ length: peersMax }, (_, peer) => hole.addressOf(peer))
  const config = await new Fleet(t).config('low', { roles: ['proxy', 'edge'], parents: peers })
  const fail = (error: unknown): void => {
    t.fail('the node gave itself up', { error })
  }
  const node = await startNode({ config, log: silent, fail })
  t.teardown(() => node.stop())
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${node.adminPort}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  const downOf = async (): Promise<string[]> => {
    const { text } = await ask('/metrics')
    const lines = text.matchAll(/^fanfold_node_up\{node="([^"]+)".*\} 0$/gm)
    return [...lines].map(([, peer = '']) => peer)
  }

  await until(() => hole.taken > 0)
  const { taken } = hole
  t.same(JSON.parse((await ask('/healthz')).text), {
    status: 'ok',
    mode: 'parents',
    parents: peersMax,
  })
  t.match(JSON.parse((await ask('/admin/topology')).text), {
    proxy: { hasParent: false, dialled: [{ node: peers[0], isOpen: false }] },
  })
  t.equal((await ask('/readyz')).status, 503)
  t.same(await downOf(), peers.slice(0, 1))
  t.equal(
    hole.taken,
    taken,
    'the first dial is still under way: nobody waited for what comes of it',
  )
  t.equal(hole.sockets.size, taken)

  hole.swallow()
  await until(async () => (await downOf()).length === peersMax)
  t.same((await downOf()).toSorted(), peers.toSorted(), 'none of them is there')
})
