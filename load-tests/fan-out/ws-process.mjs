// A broadcast as the README of ws shows it: each line on standard input goes to every client. Prints its port as a
// line of JSON.
import { createInterface } from 'node:readline'
import { WebSocket, WebSocketServer } from 'ws'

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  console.log(JSON.stringify({ port: server.address().port }))
})
server.on('connection', client => client.on('error', console.error))
for await (const line of createInterface({ input: process.stdin })) {
  for (const client of server.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(line)
  }
}
process.exit(0)
