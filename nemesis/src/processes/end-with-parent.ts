/*
 * Loaded into each node (`--import`): file descriptor 3 is a pipe that its starter holds. It ends when the
 * starter does, however that died, and then this process ends too. A process that the node started has a channel to it
 * there instead, and ends by its own means.
 */
import { Socket } from 'node:net'

if (process.channel === undefined) {
  const pipe = new Socket({ fd: 3, readable: true, writable: false })
  pipe.on('close', () => process.kill(process.pid, 'SIGKILL'))
  pipe.on('error', () => undefined)
  pipe.resume()
  pipe.unref()
}
