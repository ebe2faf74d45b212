// What a server cannot do less than: ws as its README shows it, which parses what it is sent. Prints its port as a line
// of JSON, and with anything on standard input how many messages came and its processor time.
import { WebSocketServer } from 'ws'

let messages = 0
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
  console.log(JSON.stringify({ port: server.address().port }))
})
server.on('connection', socket => {
  socket.on('message', data => {
    if (JSON.parse(data).type === 'add') messages++
  })
})
process.stdin.on('data', () => {
  const { user, system } = process.cpuUsage()
  console.log(JSON.stringify({ messages, cpuMs: (user + system) / 1_000 }))
})
process.stdin.on('end', () => process.exit(0))
