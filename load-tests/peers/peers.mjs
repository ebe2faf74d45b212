import { colyseus } from './colyseus.mjs'
import { hocuspocus } from './hocuspocus.mjs'
import { mosquitto } from './mosquitto.mjs'
import { nats } from './nats.mjs'
import { nchan } from './nchan.mjs'
import { pushpin } from './pushpin.mjs'
import { sharedb } from './sharedb.mjs'
import { socketIo } from './socket-io.mjs'

/**
 * Who else sends changes to many viewers over WebSocket. A peer has a `name`, its `parts`, where it cannot take more the
 * most viewers that it is given (`viewersMax`), and `start(count, directory)`, which answers as the servers of
 * fan-out/servers.mjs do: the processes of the server, what its viewers say and look for, and `publish(number)`.
 */
export const peers = [socketIo, nats, nchan, mosquitto, sharedb, colyseus, hocuspocus, pushpin]
