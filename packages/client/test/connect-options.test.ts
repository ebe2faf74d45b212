import t from 'tap'
import { connect } from '../src/connect.ts'
import { parseConnectOptions } from '../src/connect-options.ts'
import { VirtualNetwork } from './virtual-world.ts'

const { WebSocket } = new VirtualNetwork()

t.test('every option but the WebSocket has a default', t => {
  t.match(parseConnectOptions({ WebSocket }), {
    reconnect: { minMs: 500, maxMs: 20_000 },
    dialTimeoutMs: 10_000,
    sendTimeoutMs: 30_000,
    inFlightMax: 1_024,
    inFlightBytesMax: 16_777_216,
    changesMax: 1_024,
    idleCloseMs: 30_000,
    clientId: /^[0-9a-f]{24}$/,
  })
  t.not(parseConnectOptions({ WebSocket }).clientId, parseConnectOptions({ WebSocket }).clientId)
  t.end()
})

t.test('refuses what is no count or no wait, and names it', t => {
  for (const value of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
    t.throws(() => connect('wss://a', { WebSocket, inFlightMax: value }), {
      code: 'FANFOLD_BAD_OPTION',
      message: new RegExp(`inFlightMax.*${value}`),
    })
  }
  t.throws(() => connect('wss://a', { WebSocket, backoff: { minMs: 10, maxMs: 5 } }), {
    message: /maxMs is at least minMs 10, got 5/,
  })
  t.throws(() => connect('wss://a', { WebSocket, clientId: 'a b' }), { message: /clientId/ })
  t.end()
})

t.test('says what to do where there is no WebSocket', t => {
  // Later versions of Node have one.
  const own = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket')
  Reflect.deleteProperty(globalThis, 'WebSocket')
  t.teardown(() => {
    if (own !== undefined) Object.defineProperty(globalThis, 'WebSocket', own)
  })
  t.throws(() => connect('wss://a'), { code: 'FANFOLD_NO_WEBSOCKET', message: /package ws/ })
  t.end()
})
