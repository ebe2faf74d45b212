/* All that is tested of viewers over real sockets, once more with the native addon. */
import t from 'tap'
import { builtSendAll } from './built-addon.ts'
import { sendBy } from './viewer-rig.ts'

const sendAll = builtSendAll()
let calls = 0
sendBy((...run) => {
  calls++
  return sendAll(...run)
})

await import('./client-connection.test.ts')
await import('./delivery.test.ts')
await import('./direct-sockets.test.ts')
await import('./fan-out.test.ts')
await import('./tls-viewers.test.ts')
await import('./viewer-compression.test.ts')
await import('./viewer-sockets.test.ts')
await import('./viewer.test.ts')

t.test('the addon was at work', async t => {
  t.ok(calls > 100, `${calls} calls`)
})
