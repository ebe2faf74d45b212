// socket.io as its documentation shows rooms: each line on standard input is emitted to the room that all clients are
// in. Prints its port as a line of JSON.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { Server } from 'socket.io'

const http = createServer()
const io = new Server(http, { serveClient: false })
io.on('connection', socket => socket.join('match'))
http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  console.log(JSON.stringify({ port: http.address().port }))
})
for await (const line of createInterface({ input: process.stdin })) {
  io.to('match').emit('delta', JSON.parse(line))
}
process.exit(0)
