import type { IncomingMessage } from 'node:http'
import { type DocumentKey, ProtocolError, parseDocumentKey } from '@fanfold/protocol'

/** What paths of documents begin with. */
export const documentsPrefix = '/v1/documents/'

/** A document, and the name of one of its messages or reducers. */
export type DocumentPath = { readonly doc: DocumentKey; readonly name: string | undefined }

/**
 * What a path names: a document, or one of these of it.
 *
 * @throws ProtocolError `FANFOLD_BAD_KEY` when it names neither
 */
export function parseDocumentPath(path: string, these: 'messages' | 'reducers'): DocumentPath {
  let segments: string[]
  try {
    segments = path.slice(documentsPrefix.length).split('/').map(decodeURIComponent)
  } catch {
    throw new ProtocolError('FANFOLD_BAD_KEY', 'a path of well-formed segments')
  }
  const [tenant = '', type = '', id = '', word = '', name] = segments
  const isNamed = segments.length === 5 && word === these
  if (segments.length !== 3 && !isNamed) {
    throw new ProtocolError(
      'FANFOLD_BAD_KEY',
      `/v1/documents/<tenant>/<type>/<id>[/${these}/<name>]`,
    )
  }
  return { doc: parseDocumentKey(`${tenant}/${type}/${id}`), name }
}

/** @throws ProtocolError `FANFOLD_UNAUTHORIZED` when the request bears no token */
export function bearerOf(request: IncomingMessage): string {
  const header = request.headers.authorization
  const match = header === undefined ? null : /^Bearer +(\S+)$/i.exec(header)
  if (match?.[1] === undefined) {
    throw new ProtocolError('FANFOLD_UNAUTHORIZED', 'a bearer token in the Authorization header')
  }
  return match[1]
}

/**
 * The JSON value of a body; undefined for an empty one.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME`
 */
export function bodyValue(body: string): unknown {
  if (body === '') return undefined
  try {
    return JSON.parse(body)
  } catch {
    throw new ProtocolError('FANFOLD_BAD_FRAME', 'the body is JSON')
  }
}
