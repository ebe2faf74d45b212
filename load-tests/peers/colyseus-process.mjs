// Colyseus with one room, in which so many seats are reserved: each line on standard input is put into the room's state
// and its patch sent. Prints its port and the paths of the seats as a line of JSON.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { matchMaker, Room, Server } from '@colyseus/core'
import { defineTypes, Schema } from '@colyseus/schema'
import { WebSocketTransport } from '@colyseus/ws-transport'

/** Seats wait for all of the viewers to come, s. */
const seatSeconds = 600

class MatchState extends Schema {}
defineTypes(MatchState, { delta: 'string' })

let room
class MatchRoom extends Room {
  onCreate() {
    room = this
    this.autoDispose = false
    this.seatReservationTime = seatSeconds
    // Patches leave when they are made, not with the next tick: of deltas in one tick viewers would see the last.
    this.setPatchRate(null)
    this.state = new MatchState()
    this.state.delta = ''
  }
}

const http = createServer()
const server = new Server({
  greet: false,
  gracefullyShutdown: false,
  transport: new WebSocketTransport({ server: http }),
})
server.define('match', MatchRoom)
await server.listen(0, '127.0.0.1')
const { roomId } = await matchMaker.createRoom('match', {})
const paths = []
for (let seat = 0; seat < Number(process.argv[2]); seat++) {
  const { room: at, sessionId } = await matchMaker.joinById(roomId, {})
  paths.push(`/${at.processId}/${at.roomId}?sessionId=${sessionId}`)
}
console.log(JSON.stringify({ port: http.address().port, paths }))
for await (const line of createInterface({ input: process.stdin })) {
  room.state.delta = line
  room.broadcastPatch()
}
process.exit(0)
