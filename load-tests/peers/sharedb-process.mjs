// ShareDB as its README shows it, in memory: each line on standard input is an operation on the one document. Prints its
// port as a line of JSON.
import { createInterface } from 'node:readline'
import WebSocketJSONStream from '@teamwork/websocket-json-stream'
import ShareDB from 'sharedb'
import { WebSocketServer } from 'ws'

const backend = new ShareDB()
const doc = backend.connect().get('bench', 'match')
// A delta is an operation, also when others wait for their answers.
doc.preventCompose = true
const first = {
  live: { seq: 0, t: 0 },
  players: { 17: { pos: { x: 0, y: 0 } } },
  score: { home: 0 },
}
await new Promise((resolve, reject) => {
  doc.create(first, error => (error === undefined ? resolve() : reject(error)))
})
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  console.log(JSON.stringify({ port: server.address().port }))
})
server.on('connection', socket => {
  const stream = new WebSocketJSONStream(socket)
  stream.on('error', error => console.error(error.message))
  backend.listen(stream)
})
for await (const line of createInterface({ input: process.stdin })) {
  const { seq, t, patch } = JSON.parse(line)
  doc.submitOp(
    [
      { p: ['live'], oi: { seq, t } },
      ...patch.map(({ path, value }) => ({ p: path.slice(1).split('/'), oi: value })),
    ],
    error => {
      if (error) throw error
    },
  )
}
process.exit(0)
