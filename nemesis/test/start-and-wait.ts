/* A program that starts a server, tells its port, and stays. */
import { writeSync } from 'node:fs'
import { RedisServer } from '../src/processes/redis-server.ts'

const server = await RedisServer.start({ teardown: () => undefined })
writeSync(1, `${server.port}\n`)
setInterval(() => undefined, 60_000)
