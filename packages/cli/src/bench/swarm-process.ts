/*
 * A process of viewers, which the command forks: it does what it is told and says what it counts, until the command
 * ends, one way or another.
 */
import type { SwarmAnswer, SwarmOrder } from './swarm-message.ts'
import { ViewerGroup } from './viewer-group.ts'

/** How often it says what it counts, ms. */
const sayEveryMs = 500

let group: ViewerGroup | undefined

// A key that interrupts the command interrupts all of its processes: when they end is for the command to say.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('disconnect', () => process.exit())
process.on('message', message => take(message as SwarmOrder))

function take(order: SwarmOrder): void {
  switch (order.kind) {
    case 'open':
      group = new ViewerGroup(order.settings)
      group.open()
      setInterval(() => sayCounts(), sayEveryMs)
      break
    case 'measure':
      group?.measure()
      break
    case 'committed':
      for (const write of order.writes) group?.tally.ledger.commit(write)
      break
    case 'look':
      if (group !== undefined) say({ kind: 'looked', id: order.id, look: group.look(order) })
  }
}

function sayCounts(): void {
  if (group !== undefined) say({ kind: 'counts', counts: group.tally.counts })
}

function say(answer: SwarmAnswer): void {
  // When the command has gone, nobody is there to be told.
  process.send?.(answer, undefined, undefined, () => undefined)
}
