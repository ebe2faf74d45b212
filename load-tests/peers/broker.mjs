import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { cores, endTree, processTree } from '../fan-out/processes.mjs'

const startMs = 10_000
const askEveryMs = 50

/** So many ports that nobody listens on. */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => once(server.close(), 'close')))
  return ports
}

/** Starts a broker on the servers' core; resolves when it listens on all of the ports. */
export async function startBroker({ command, args, ports }) {
  const child = spawn('taskset', ['-c', cores.server, command, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  try {
    for (const port of ports) await whenListening(port, child, command)
  } catch (error) {
    await endTree(child)
    throw error
  }
  return { pids: processTree(child.pid), stop: () => endTree(child) }
}

/** Opens a connection that is only written to. */
export async function openPublisher(port) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  // Its end is noticed by whoever looks at the broker's processes.
  socket.on('error', error => console.error(`port ${port}: ${error.message}`))
  socket.resume()
  return socket
}

async function whenListening(port, child, command) {
  for (const until = performance.now() + startMs; performance.now() < until; ) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`)
    const socket = connect({ host: '127.0.0.1', port })
    try {
      await once(socket, 'connect')
      return
    } catch {
      await wait(askEveryMs)
    } finally {
      socket.destroy()
    }
  }
  throw new Error(`${command} does not listen on ${port} within ${startMs} ms`)
}
