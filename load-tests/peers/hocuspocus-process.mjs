// Hocuspocus with nothing that stores: each line on standard input is a value in a map of the one document. Prints its
// port as a line of JSON.
import { createInterface } from 'node:readline'
import { Server } from '@hocuspocus/server'

const server = new Server({ port: 0, address: '127.0.0.1', quiet: true })
await server.listen()
const connection = await server.hocuspocus.openDirectConnection('match', {})
console.log(JSON.stringify({ port: server.address.port }))
for await (const line of createInterface({ input: process.stdin })) {
  await connection.transact(doc => doc.getMap('match').set('delta', line))
}
process.exit(0)
