import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deltaOf, plainMarks } from '../fan-out/delta.mjs'
import { freePorts, startBroker } from './broker.mjs'
import { openPoster } from './post.mjs'

const configOf = ({ webPort, postPort, pushPort, subPort, commandPort, directory }) => `
[global]
include={libdir}/internal.conf
rundir=${directory}/pushpin-run
ipc_prefix=pushpin-
port_offset=0
stats_connection_ttl=120
[runner]
services=condure,pushpin-proxy,pushpin-handler
http_port=127.0.0.1:${webPort}
logdir=${directory}/pushpin-log
log_level=0
client_buffer_size=8192
client_maxconn=50000
[proxy]
routesfile=${directory}/pushpin-routes
updates_check=off
[handler]
push_in_spec=tcp://127.0.0.1:${pushPort}
push_in_sub_specs=tcp://127.0.0.1:${subPort}
push_in_sub_connect=false
push_in_http_addr=127.0.0.1
push_in_http_port=${postPort}
push_in_http_max_headers_size=10000
push_in_http_max_body_size=1000000
command_spec=tcp://127.0.0.1:${commandPort}
message_rate=1000000000
message_hwm=25000
message_wait=5000
connection_subscription_max=20
subscription_linger=60
stats_connection_ttl=120
stats_report_interval=10
`

/** Pushpin: a message to a channel, published by a request. Its own test route holds viewers and subscribes them. */
export const pushpin = {
  name: 'pushpin',
  parts: { debian: ['pushpin'] },
  // Five deltas a second to 5,000 are more than it does with one core.
  viewersMax: 1_000,
  async start(_count, directory) {
    const [webPort, postPort, pushPort, subPort, commandPort] = await freePorts(5)
    for (const name of ['run', 'log']) {
      mkdirSync(join(directory, `pushpin-${name}`), { recursive: true })
    }
    writeFileSync(join(directory, 'pushpin-routes'), '* test\n')
    const config = join(directory, 'pushpin.conf')
    writeFileSync(
      config,
      configOf({ webPort, postPort, pushPort, subPort, commandPort, directory }),
    )
    const args = ['--config', config]
    const broker = await startBroker({ command: 'pushpin', args, ports: [webPort, postPort] })
    const poster = openPoster({ port: postPort, path: '/publish/', type: 'application/json' })
    return {
      pids: broker.pids,
      viewers: {
        urls: [`ws://127.0.0.1:${webPort}/ws`],
        marks: plainMarks,
      },
      publish(number) {
        const content = JSON.stringify(deltaOf(number))
        const item = { channel: 'test', formats: { 'ws-message': { content } } }
        poster.post(JSON.stringify({ items: [item] }))
      },
      async stop() {
        poster.close()
        await broker.stop()
      },
    }
  },
}
