import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deltaOf, plainMarks } from '../fan-out/delta.mjs'
import { freePorts, startBroker } from './broker.mjs'
import { openPoster } from './post.mjs'

const configOf = ({ port, directory }) => `
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid ${directory}/nginx.pid;
error_log ${directory}/nginx.log crit;
events { worker_connections 65000; }
http {
  access_log off;
  client_body_temp_path ${directory}/nginx-bodies;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /subscribe {
      nchan_subscriber websocket;
      nchan_channel_id match;
      nchan_subscriber_first_message newest;
    }
    location = /publish {
      nchan_publisher http;
      nchan_channel_id match;
    }
  }
}
`

/** nginx with nchan: a message to a channel, published by a request; viewers are sent it as it is. */
export const nchan = {
  name: 'nchan',
  parts: { debian: ['libnginx-mod-nchan', 'nginx'] },
  async start(_count, directory) {
    const [port] = await freePorts(1)
    const config = join(directory, 'nginx.conf')
    writeFileSync(config, configOf({ port, directory }))
    const args = ['-c', config, '-e', join(directory, 'nginx.log')]
    const broker = await startBroker({ command: 'nginx', args, ports: [port] })
    const poster = openPoster({ port, path: '/publish', type: 'application/json' })
    return {
      pids: broker.pids,
      viewers: { urls: [`ws://127.0.0.1:${port}/subscribe`], marks: plainMarks },
      publish: number => poster.post(JSON.stringify(deltaOf(number))),
      async stop() {
        poster.close()
        await broker.stop()
      },
    }
  },
}
