import { fileURLToPath } from 'node:url'
import { startLineServer } from '../fan-out/line-server.mjs'

const script = fileURLToPath(new URL('./colyseus-process.mjs', import.meta.url))
/** Bytes that messages of its protocol begin with. */
const codes = { joinRoom: { hex: '0a' }, roomState: { hex: '0e' } }

/** Colyseus: a patch of a room's state, sent at once; viewers take seats that were reserved for them. */
export const colyseus = {
  name: 'Colyseus',
  parts: { npm: ['@colyseus/core', '@colyseus/schema', '@colyseus/ws-transport', 'express'] },
  start: count =>
    startLineServer(process.execPath, [script, String(count)], ({ port, paths }) => ({
      urls: paths.map(path => `ws://127.0.0.1:${port}${path}`),
      answers: [{ to: codes.joinRoom, say: codes.joinRoom }],
      ready: codes.roomState,
    })),
}
