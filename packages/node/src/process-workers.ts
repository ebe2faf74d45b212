import { availableParallelism } from 'node:os'
import type { ReplicaWorkerFactory } from '@fanfold/document'
import type { Config } from './config.ts'
import { createReplicaWorker } from './worker-threads.ts'

/** The threads of a process that hold replicas of large documents; none is started before it is needed. */
export const createProcessWorkers = ({ limits }: Config): ReplicaWorkerFactory =>
  createReplicaWorker({
    threadsMax: limits.workerThreads || Math.ceil(availableParallelism() / 2),
    heldBytesMax: limits.workerBytesMax,
    queuedBytesMax: limits.workerBytesMax,
  })
