import { parseEndpoints } from '../src/endpoint.ts'
import { Line, type LineOptions, type LineTarget } from '../src/line.ts'
import { VirtualNetwork, VirtualTime } from './virtual-world.ts'

/** A line, and the world around it. */
export type LineRig = {
  readonly line: Line
  readonly time: VirtualTime
  readonly network: VirtualNetwork
  /** What it has told. */
  readonly heard: string[]
  /** What it has dialled. */
  readonly urls: () => string[]
}

/** A line to `wss://a`, where nothing else is said. */
export function build(
  options: Partial<LineOptions> = {},
  target: Partial<LineTarget> = {},
): LineRig {
  const time = new VirtualTime()
  const network = new VirtualNetwork()
  const heard: string[] = []
  const line = new Line(
    {
      WebSocket: network.WebSocket,
      token: undefined,
      reconnect: { minMs: 500, maxMs: 20_000 },
      dialTimeoutMs: 10_000,
      environment: time.environment,
      ...options,
    },
    {
      endpoints: parseEndpoints('wss://a'),
      path: '/v1/observe',
      failuresMax: undefined,
      ...target,
    },
    {
      opened: () => heard.push('opened'),
      received: text => heard.push(text),
      lost: () => heard.push('lost'),
      failed: error => heard.push(`failed ${error.code}`),
      troubled: () => undefined,
    },
  )
  const urls = () => network.sockets.map(socket => socket.url)
  return { line, time, network, heard, urls }
}
