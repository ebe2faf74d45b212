import { WebSocket } from 'ws'
import { token } from './start-node.mjs'

/**
 * Writes into a document of `definitions/grown.ts` so many times a second until it is stopped, which
 * answers with the last seq.
 *
 * @param textBytes of each write
 */
export async function startWriter({ url, doc, perSecond, textBytes = 40 }) {
  const socket = new WebSocket(`${url}/v1/write`, ['fanfold.v1', `bearer.${token}`], {
    perMessageDeflate: false,
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  let sent = 0
  let answered = 0
  let seq = 0
  let whenAnswered = () => undefined
  socket.on('message', data => {
    const frame = JSON.parse(data)
    if (frame.type !== 'committed') throw new Error(String(data))
    seq = frame.seq
    if (++answered === sent) whenAnswered()
  })
  const startedAt = performance.now()
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) * perSecond) / 1_000
    while (sent < due) {
      const value = { entry: `entry-${sent % 50}`, text: `${sent}`.padStart(textBytes, 'z') }
      const id = `${process.pid}-${startedAt}-${sent++}`
      socket.send(JSON.stringify({ type: 'send', doc, message: 'write', value, id }))
    }
  }, 5)
  return {
    stop: async () => {
      clearInterval(timer)
      if (answered < sent) {
        await new Promise(resolve => {
          whenAnswered = resolve
        })
      }
      socket.close()
      return seq
    },
  }
}
