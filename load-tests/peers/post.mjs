import { Agent, request } from 'node:http'

/** Requests that leave one after the other on one connection, and so in order: `post(body)`, `close()`. */
export function openPoster({ port, path, type }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    post(body) {
      const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) }
      const options = { host: '127.0.0.1', port, path, method: 'POST', agent, headers }
      request(options, response => response.resume())
        .on('error', error => console.error(`POST ${path}: ${error.message}`))
        .end(body)
    },
    close: () => agent.destroy(),
  }
}
