/* An edge on a free port that answers each request of a viewer with the frames that a test gives. */
import { once } from 'node:events'
import type { Test } from 'tap'
import { WebSocketServer } from 'ws'
import type { Clock } from '../src/terminal.ts'
import { FakeTerminal } from './fake-terminal.ts'

/** What a viewer sends. */
export type Request = { readonly [name: string]: unknown }

/** Starts an edge that ends with the test, and a terminal that knows where it is. */
export async function startEdge(
  t: Test,
  answer: (request: Request) => readonly object[],
): Promise<{
  readonly terminal: FakeTerminal
  readonly requests: readonly Request[]
  /** Sends frames to all viewers. */
  readonly send: (frames: readonly object[]) => void
}> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: () => 'fanfold.v1',
  })
  const requests: Request[] = []
  server.on('connection', socket => {
    socket.on('message', data => {
      const request: Request = JSON.parse(String(data))
      requests.push(request)
      for (const frame of answer(request)) socket.send(JSON.stringify(frame))
    })
  })
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server on a port')
  const environment = { FANFOLD_URL: `ws://127.0.0.1:${address.port}`, FANFOLD_TOKEN: 'a.b.c' }
  const send = (frames: readonly object[]): void => {
    for (const socket of server.clients) {
      for (const frame of frames) socket.send(JSON.stringify(frame))
    }
  }
  return { terminal: new FakeTerminal({ environment, clock: standing }), requests, send }
}

/** Time stands still: what a test waits for comes over the socket. */
const standing: Clock = {
  now: () => 0,
  wallClock: () => 0,
  wait: () => new Promise(() => undefined),
}
