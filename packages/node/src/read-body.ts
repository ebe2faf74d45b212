import type { IncomingMessage } from 'node:http'
import { ProtocolError } from '@fanfold/protocol'

/**
 * The body of a request, as text.
 *
 * @throws ProtocolError `FANFOLD_FRAME_TOO_LARGE` when it has more bytes than that
 */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > bytesMax) {
      throw new ProtocolError('FANFOLD_FRAME_TOO_LARGE', `a body of at most ${bytesMax} bytes`)
    }
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}
