export { diskSometimes } from './disk-sometimes.ts'
export { type DiskWorldResult, runDiskWorld } from './disk-world.ts'
export { type DiskWorldOptions, drawDiskWorld } from './drawn-disk-world.ts'
