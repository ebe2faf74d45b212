/*
 * The program of a worker: one edge, told what to do by the process that started it. It ends with that one, however
 * that ended, and leaves signals to it: who interrupts a terminal or stops a service means the node.
 */
import { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { assert } from '@fanfold/kernel'
import { EdgeWorker } from './edge-worker.ts'
import {
  fatalExitCode,
  useToldEveryMs,
  type WorkerBeginning,
  type WorkerOrder,
  type WorkerWord,
} from './edge-worker-orders.ts'
import { createLog, type Log } from './logging.ts'

/** What has changed is told after this long, ms: connections are dealt by it. */
const changeToldMs = 20
/** How often it is looked whether there is a link to the local proxy, before there was one, ms. */
const linkLookedForMs = 10
/** Sockets that still say goodbye keep the process no longer than this, ms. */
const goodbyeMsMax = 2_000

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)
process.on('disconnect', () => process.exit())

let worker: EdgeWorker | undefined
let taken = 0
let telling: NodeJS.Timeout | undefined

const say = (word: WorkerWord): void => {
  // Nobody hears it any more who has gone.
  if (process.connected) process.send?.(word, () => undefined)
}

/** What there is now; of tenants now and then, which may be many. */
function tellUse({ isWhole }: { readonly isWhole: boolean }): void {
  if (worker === undefined) return
  clearTimeout(telling)
  telling = undefined
  const { use, connections } = worker
  const tenants = isWhole ? worker.tenants : undefined
  say({ kind: 'use', taken, closed: taken - connections, use, tenants })
}

const tellSoon = (): void => {
  telling ??= setTimeout(() => tellUse({ isWhole: false }), changeToldMs)
}

function take(socket: unknown): void {
  taken++
  tellSoon()
  // One that was cut on its way comes without a handle.
  if (!(socket instanceof Socket) || worker === undefined) return
  socket.once('close', tellSoon)
  worker.take(socket)
}

async function begin(beginning: WorkerBeginning, log: Log): Promise<void> {
  const started = await EdgeWorker.start(beginning, { log, fail: failing(log) })
  worker = started
  setInterval(() => tellUse({ isWhole: true }), useToldEveryMs).unref()
  // Nobody is served before it has its link.
  while (!started.use.hasParent) await wait(linkLookedForMs)
  say({ kind: 'ready' })
  tellUse({ isWhole: true })
}

const failing =
  (log: Log) =>
  (error: unknown): void => {
    log.fatal({ event: 'node.failed', err: error }, 'shared state in doubt')
    process.exit(fatalExitCode)
  }

/** Ends the process when the last socket has said goodbye. */
async function drain(drained: EdgeWorker): Promise<void> {
  await drained.drain()
  tellUse({ isWhole: false })
  process.channel?.unref()
  setTimeout(() => process.exit(), goodbyeMsMax).unref()
}

async function obey(order: Exclude<WorkerOrder, { kind: 'begin' }>, handle: unknown) {
  assert(worker !== undefined, `a worker is ready before it is told ${order.kind}`)
  switch (order.kind) {
    case 'connection':
      take(handle)
      return
    case 'tell-metrics':
      say({ kind: 'metrics', metrics: await worker.metrics() })
      return
    case 'drain':
      await drain(worker)
      return
    default:
      worker.obey(order)
  }
}

process.once('message', (beginning: WorkerBeginning) => {
  const { config, node, worker: number } = beginning
  const { level } = config.logging
  const log = createLog({ level, node, region: config.region }).child({ worker: number })
  const fail = failing(log)
  begin(beginning, log).catch(fail)
  process.on('message', (order: Exclude<WorkerOrder, { kind: 'begin' }>, handle: unknown) => {
    obey(order, handle).catch(fail)
  })
})
