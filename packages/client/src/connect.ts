import { type ConnectOptions, parseConnectOptions } from './connect-options.ts'
import { Connection } from './connection.ts'
import { parseEndpoints } from './endpoint.ts'

/**
 * A connection to Fanfold. Nothing is dialled before something is observed or sent.
 *
 * @param url one URL or several, tried in turn: `wss://host`, `https://host/edge/2`
 * @throws FanfoldError `FANFOLD_BAD_OPTION`, `FANFOLD_NO_WEBSOCKET`
 */
export function connect(url: string | readonly string[], options: ConnectOptions = {}): Connection {
  const observe = parseEndpoints(url)
  const write = options.writeUrl === undefined ? observe : parseEndpoints(options.writeUrl)
  return new Connection({ observe, write }, parseConnectOptions(options))
}
