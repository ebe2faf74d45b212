// Viewers that say things, each on a socket of its own, told how often by the process that forked this.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { RawSocket } from './raw-socket.mjs'
import { token } from './start-node.mjs'

const kinds = Array.from({ length: 143 }, (_, index) => `kind-${index}`)
const groups = new Map()

const requests = {
  /** Opens so many connections, which observe the document if one is named: who says something observes. */
  async connect({ group, url, count, doc }) {
    const sockets = []
    for (let at = 0; at < count; at++) {
      sockets.push(
        await new Promise((resolve, reject) => {
          const socket = new RawSocket(url, ['fanfold.v1', `bearer.${token}`])
          socket.once('open', () => resolve(socket))
          socket.once('error', reject)
        }),
      )
    }
    groups.set(group, sockets)
    if (doc === undefined) return
    const seen = sockets.map(socket => new Promise(resolve => socket.once('message', resolve)))
    for (const socket of sockets) socket.send(JSON.stringify({ type: 'observe', doc }))
    await Promise.all(seen)
  },
  /** Each says so many things, one after the other: no two of one viewer are read at a time, if they need not be. */
  async say({ group, doc, times }) {
    for (let round = 0; round < times; round++) {
      for (const [at, socket] of groups.get(group).entries()) {
        const value = { kind: kinds[(round * 31 + at) % kinds.length] }
        socket.send(JSON.stringify({ type: 'add', doc, reducer: 'cheer', value }))
        // Others come in between, as they do where each viewer is elsewhere.
        if (at % 16 === 15) await nextTurn()
      }
    }
  },
}

process.on('message', async ({ id, what, options }) => {
  try {
    process.send({ id, answer: await requests[what](options) })
  } catch (error) {
    process.send({ id, error: error.stack })
  }
})
