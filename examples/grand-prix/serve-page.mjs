/*
 * Serves the timing screen where no `fanfold dev` does: the built files, and `/config.json`, which tells
 * the page where to watch, what, and as whom.
 *
 *   node serve-page.mjs --observe ws://127.0.0.1:9611 --token-file viewer.token --port 8080
 *
 * The token is handed to everybody who opens the page: it must allow no more than to observe.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    observe: { type: 'string', default: 'ws://127.0.0.1:9600' },
    document: { type: 'string', default: 'demo/grand-prix/corvane' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8080' },
    page: { type: 'string', default: fileURLToPath(new URL('./page/dist', import.meta.url)) },
    'token-file': { type: 'string' },
  },
})
if (values['token-file'] === undefined) {
  console.error('--token-file is needed: a token that allows to observe')
  process.exit(2)
}

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

// The page is some hundred kilobytes: read once, so that a path from outside is looked up, never opened.
const files = new Map()
for (const name of readdirSync(values.page, { recursive: true })) {
  const type = types[extname(name)]
  if (type === undefined) continue
  files.set(`/${name.replaceAll(sep, '/')}`, { type, body: readFileSync(join(values.page, name)) })
}
files.set('/', files.get('/index.html'))
files.set('/config.json', {
  type: 'application/json',
  body: JSON.stringify({
    observe: values.observe,
    document: values.document,
    token: readFileSync(values['token-file'], 'utf8').trim(),
  }),
})

const server = createServer((request, response) => {
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const file = files.get(request.url?.split('?', 1)[0])
  if (!isRead || file === undefined) {
    response.writeHead(isRead ? 404 : 405).end()
    return
  }
  response.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-cache' }).end(file.body)
})
server.listen(Number(values.port), values.host, () => {
  console.log(`timing screen: http://${values.host}:${server.address().port}/`)
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close())
