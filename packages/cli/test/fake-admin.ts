import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

/** What an admin port answers, with which status; undefined for a connection that is cut. */
export type AdminAnswer = { readonly status: number; readonly body: unknown } | undefined

/** An admin port that answers as the test says; ends with the test. */
export async function startAdmin(
  t: Test,
  answer: (request: string, body: string) => AdminAnswer,
): Promise<{ readonly url: string; readonly requests: string[] }> {
  const requests: string[] = []
  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`
    requests.push(`${line} ${request.headers.authorization ?? 'nobody'}`)
    const found = answer(line, await text(request))
    if (found === undefined) request.socket.destroy()
    else response.writeHead(found.status).end(JSON.stringify(found.body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return { requests, url: `http://127.0.0.1:${port}` }
}
