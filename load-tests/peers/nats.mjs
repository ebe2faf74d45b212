import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deltaOf, plainMarks } from '../fan-out/delta.mjs'
import { freePorts, openPublisher, startBroker } from './broker.mjs'

const hello = 'CONNECT {"verbose":false,"pedantic":false}\r\n'

const configOf = ({ port, webPort }) => `
listen: "127.0.0.1:${port}"
websocket { listen: "127.0.0.1:${webPort}", no_tls: true }
`

/** nats-server: a message to a subject, published over TCP; viewers speak its protocol in frames of WebSocket. */
export const nats = {
  name: 'nats-server',
  parts: { debian: ['nats-server'] },
  async start(_count, directory) {
    const [port, webPort] = await freePorts(2)
    const config = join(directory, 'nats.conf')
    writeFileSync(config, configOf({ port, webPort }))
    const args = ['--config', config, '--log', join(directory, 'nats.log')]
    const broker = await startBroker({ command: 'nats-server', args, ports: [port, webPort] })
    const publisher = await openPublisher(port)
    publisher.on('data', said => {
      if (said.includes('PING')) publisher.write('PONG\r\n')
    })
    publisher.write(hello)
    return {
      pids: broker.pids,
      viewers: {
        urls: [`ws://127.0.0.1:${webPort}/`],
        firsts: [{ text: `${hello}SUB match 1\r\nPING\r\n` }],
        ready: { text: 'PONG' },
        answers: [{ to: { text: 'PING' }, say: { text: 'PONG\r\n' } }],
        marks: plainMarks,
      },
      publish(number) {
        const text = JSON.stringify(deltaOf(number))
        publisher.write(`PUB match ${Buffer.byteLength(text)}\r\n${text}\r\n`)
      },
      async stop() {
        publisher.destroy()
        await broker.stop()
      },
    }
  },
}
