/*
 * Loaded into each node (`--import`): file descriptor 3 is a pipe that its starter holds. It ends when the
 * starter does, however that died, and then this process ends too.
 */
import { Socket } from 'node:net'

const pipe = new Socket({ fd: 3, readable: true, writable: false })
pipe.on('close', () => process.kill(process.pid, 'SIGKILL'))
pipe.on('error', () => undefined)
pipe.resume()
pipe.unref()
