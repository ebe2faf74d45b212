import { WebSocket } from 'ws'
import { token } from './start-node.mjs'

/**
 * Sends messages over one connection, so many in flight at a time, and measures each from its send to
 * its acknowledgement. `run` keeps the ids of one call apart from those of others; `next(index)` gives {doc, message, value}.
 */
export async function write({ url, count, inFlight, run, next }) {
  const socket = new WebSocket(`${url}/v1/write`, ['fanfold.v1', `bearer.${token}`], {
    perMessageDeflate: false,
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  const sentAt = new Float64Array(count)
  const latencies = new Float64Array(count)
  let sent = 0
  let answered = 0
  const startedAt = performance.now()
  await new Promise((resolve, reject) => {
    const send = () => {
      while (sent < count && sent - answered < inFlight) {
        const { doc, message, value } = next(sent)
        sentAt[sent] = performance.now()
        socket.send(JSON.stringify({ type: 'send', doc, message, value, id: `${run}-${sent}` }))
        sent++
      }
    }
    socket.on('message', data => {
      const frame = JSON.parse(data)
      if (frame.type !== 'committed') {
        reject(new Error(`got ${data}`))
        return
      }
      const index = Number(frame.id.slice(frame.id.lastIndexOf('-') + 1))
      latencies[index] = performance.now() - sentAt[index]
      answered++
      if (answered === count) resolve()
      else if (sent - answered < inFlight / 2 || sent < inFlight) send()
    })
    socket.on('close', code => reject(new Error(`closed with ${code}`)))
    send()
  })
  const seconds = (performance.now() - startedAt) / 1000
  socket.removeAllListeners('close')
  socket.close()
  return { seconds, latencies }
}
