import { fileURLToPath } from 'node:url'
import { startLineServer } from '../fan-out/line-server.mjs'

const script = fileURLToPath(new URL('./hocuspocus-process.mjs', import.meta.url))
const types = { sync: 0, auth: 2 }

/** A message of Hocuspocus on the document: its name as a string with its length before it, and what follows. */
const message = (...bytes) => ({
  hex: Buffer.from([5, ...Buffer.from('match'), ...bytes]).toString('hex'),
})

/** Hocuspocus: a change of a map of Yjs; a viewer shows a token, says that it has nothing yet, and is sent all there is. */
export const hocuspocus = {
  name: 'Hocuspocus',
  parts: { npm: ['@hocuspocus/server', 'yjs', 'y-protocols'] },
  start: () =>
    startLineServer(process.execPath, [script], () => ({
      firsts: [message(types.auth, 0, 3, ...Buffer.from('any')), message(types.sync, 0, 1, 0)],
      ready: message(types.sync, 1),
    })),
}
