export {
  createFileLogStore,
  documentsAtWorkMaxDefault,
  effectsWaitingMaxDefault,
  type FileLogStoreOptions,
  openFilesMaxDefault,
  segmentBytesMaxDefault,
} from './file-log-store.ts'
export { type FileSystem, nodeFileSystem, type OpenMode } from './file-system.ts'
export { DiskFailure } from './log-error.ts'
