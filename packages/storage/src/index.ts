export {
  createFileLogStore,
  documentsAtWorkMaxDefault,
  effectsWaitingMaxDefault,
  type FileLogStoreOptions,
  openFilesMaxDefault,
  segmentBytesMaxDefault,
} from './file-log-store.ts'
export { type FileMeasures, type FileSystem, nodeFileSystem, type OpenMode } from './file-system.ts'
export {
  createFileWarmStore,
  type FileWarmStoreOptions,
  warmBytesMaxDefault,
  warmEffectsWaitingMaxDefault,
} from './file-warm-store.ts'
export { DiskFailure } from './log-error.ts'
