import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

/** Bytes read at a time. */
const chunkBytes = 4_194_304

/**
 * Which of `texts` are anywhere in what a process of this machine can write to: its heap, its
 * buffers, its stack. Linux only.
 */
export function textsInMemory(pid: number, texts: readonly string[]): string[] {
  const wanted = new Map(texts.map(text => [text, Buffer.from(text)]))
  const overlap = Math.max(...texts.map(text => Buffer.byteLength(text)))
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const found = new Set<string>()
  try {
    for (const { start, end } of writableRegions(pid)) {
      for (let at = start; at < end && wanted.size > 0; at += chunkBytes) {
        const bytes = readAt(memory, at, Math.min(chunkBytes + overlap, end - at))
        for (const [text, form] of wanted) {
          if (!bytes.includes(form)) continue
          found.add(text)
          wanted.delete(text)
        }
      }
    }
  } finally {
    closeSync(memory)
  }
  return texts.filter(text => found.has(text))
}

function writableRegions(pid: number): { readonly start: number; readonly end: number }[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')
  return lines.flatMap(line => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line)
    const [, start = '', end = ''] = match ?? []
    return match === null
      ? []
      : [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }]
  })
}

/** What is there; nothing where the process has let the region go meanwhile. */
function readAt(memory: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  try {
    return bytes.subarray(0, readSync(memory, bytes, 0, length, at))
  } catch {
    return Buffer.alloc(0)
  }
}
