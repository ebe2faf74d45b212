import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Cleanups } from '../processes/cleanups.ts'
import type { Heal } from '../processes/networks.ts'
import { runCommand, tryCommand } from '../processes/run-command.ts'

/** What room is taken by, a block at a time. */
const oneBlock = new Uint8Array(4_096)

/** Mounts a disk in memory of so many bytes at a path, which is made; it goes with this process. */
export function mountSmallDisk(path: string, bytes: number, cleanups: Cleanups): void {
  mkdirSync(path, { recursive: true })
  runCommand('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path)
  cleanups.add(() => {
    tryCommand('umount', '-l', path)
  })
}

/** Whether this process may mount. */
export function canMount(directory: string): boolean {
  const path = join(directory, 'mount-trial')
  mkdirSync(path, { recursive: true })
  const isMounted = tryCommand('mount', '-t', 'tmpfs', '-o', 'size=65536', 'tmpfs', path)
  if (isMounted) tryCommand('umount', '-l', path)
  rmSync(path, { recursive: true, force: true })
  return isMounted
}

/** Takes all the room there is on a small disk, until it is healed; others may write there meanwhile. */
export function fillDisk(path: string): Heal {
  const ballast = join(path, 'ballast')
  const file = openSync(ballast, 'w')
  try {
    for (;;) writeSync(file, oneBlock)
  } catch (error) {
    const isFull = error instanceof Error && 'code' in error && error.code === 'ENOSPC'
    if (!isFull) throw error
  } finally {
    closeSync(file)
  }
  return () => rmSync(ballast, { force: true })
}
