import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deltaOf, plainMarks } from '../fan-out/delta.mjs'
import { freePorts, openPublisher, startBroker } from './broker.mjs'

const topic = 'match'
/** What packets of MQTT 3.1.1 begin with. */
const types = { connect: 0x10, publish: 0x30, subscribe: 0x82, subscribed: 0x90 }

const configOf = ({ port, webPort }) => `
listener ${port} 127.0.0.1
listener ${webPort} 127.0.0.1
protocol websockets
allow_anonymous true
persistence false
log_type none
`

/** mosquitto: a message of quality 0 to a topic, published over TCP; viewers speak MQTT in frames of WebSocket. */
export const mosquitto = {
  name: 'mosquitto',
  parts: { debian: ['mosquitto'] },
  async start(_count, directory) {
    const [port, webPort] = await freePorts(2)
    const config = join(directory, 'mosquitto.conf')
    writeFileSync(config, configOf({ port, webPort }))
    const args = ['-c', config]
    const broker = await startBroker({ command: 'mosquitto', args, ports: [port, webPort] })
    const publisher = await openPublisher(port)
    publisher.write(connectPacket)
    return {
      pids: broker.pids,
      viewers: {
        urls: [`ws://127.0.0.1:${webPort}/mqtt`],
        protocolLists: [['mqtt']],
        firsts: [connectPacket, subscribePacket].map(bytes => ({ hex: bytes.toString('hex') })),
        ready: { hex: types.subscribed.toString(16) },
        marks: plainMarks,
      },
      publish(number) {
        const delta = Buffer.from(JSON.stringify(deltaOf(number)))
        publisher.write(packet(types.publish, string(topic), delta))
      },
      async stop() {
        publisher.destroy()
        await broker.stop()
      },
    }
  },
}

/** Of less than 16 KiB. */
function packet(type, ...parts) {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7]
  return Buffer.concat([Buffer.from([type, ...size]), body])
}

function string(text) {
  return Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)])
}

// Level 4, a clean session, no keep-alive, a name that the broker makes up.
const connectPacket = packet(types.connect, string('MQTT'), Buffer.from([4, 2, 0, 0]), string(''))
const subscribePacket = packet(
  types.subscribe,
  Buffer.from([0, 1]),
  string(topic),
  Buffer.from([0]),
)
