/*
 * Viewers in a process of their own, which the node that serves them does not share a loop with:
 *
 *   const swarm = startSwarm()
 *   await swarm.ask('observe', { url, doc, count: 1_000 })
 *
 * A viewer looks at frames no further than it must: they share the machine with the node.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Starts the process; `ask` sends it a request and gives its answer. */
export function startSwarm(script = './swarm-process.mjs') {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiting = new Map()
  let nextId = 1
  child.on('message', ({ id, answer, error }) => {
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) resolve(answer)
    else reject(new Error(error))
  })
  child.on('exit', code => {
    for (const { reject } of waiting.values()) reject(new Error(`the swarm ended with ${code}`))
  })
  return {
    ask: (what, options = {}) =>
      new Promise((resolve, reject) => {
        const id = nextId++
        waiting.set(id, { resolve, reject })
        child.send({ id, what, options })
      }),
    stop: () => child.kill('SIGKILL'),
  }
}
