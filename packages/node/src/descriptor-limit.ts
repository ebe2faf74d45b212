import { readFile } from 'node:fs/promises'

/** The text of `/proc/self/limits`; undefined on systems that have none. */
export async function readProcessLimits(): Promise<string | undefined> {
  try {
    return await readFile('/proc/self/limits', 'utf8')
  } catch {
    return undefined
  }
}

/** File descriptors that a process may have, by that text; undefined where it does not say. */
export function descriptorLimitOf(limits: string | undefined): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? '')?.[1]
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}

/** File descriptors that this process, and one that it starts, may have; undefined where the system does not say. */
export const readDescriptorLimit = async (): Promise<number | undefined> =>
  descriptorLimitOf(await readProcessLimits())
