import { fileURLToPath } from 'node:url'
import { startLineServer } from '../fan-out/line-server.mjs'

const script = fileURLToPath(new URL('./sharedb-process.mjs', import.meta.url))

/** ShareDB: an operation of json0 on a document in memory, to which viewers are subscribed. */
export const sharedb = {
  name: 'ShareDB',
  parts: { npm: ['sharedb', '@teamwork/websocket-json-stream', 'ws'] },
  start: () =>
    startLineServer(process.execPath, [script], () => ({
      firsts: [
        { text: '{"a":"hs","id":null,"protocol":1,"protocolMinor":1}' },
        { text: '{"a":"s","c":"bench","d":"match"}' },
      ],
      ready: { text: '{"data":{"v":' },
      // An operation has a `seq` of ShareDB's own besides.
      marks: { number: '"oi":{"seq":', time: '"t":' },
    })),
}
