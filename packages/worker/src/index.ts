export {
  heldBytesMaxDefault,
  WorkerReplicas,
  type WorkerReplicasOptions,
} from './worker-replicas.ts'
