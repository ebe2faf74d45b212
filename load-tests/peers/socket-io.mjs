import { fileURLToPath } from 'node:url'
import { startLineServer } from '../fan-out/line-server.mjs'

const script = fileURLToPath(new URL('./socket-io-process.mjs', import.meta.url))

/** socket.io: an event to a room; viewers speak Engine.IO's protocol on WebSocket from the start. */
export const socketIo = {
  name: 'socket.io',
  parts: { npm: ['socket.io'] },
  start: () =>
    startLineServer(process.execPath, [script], ({ port }) => ({
      urls: [`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`],
      firsts: [{ text: '40' }],
      ready: { text: '40' },
      answers: [{ to: { text: '2' }, say: { text: '3' } }],
    })),
}
