import { readFile, realpath } from 'node:fs/promises'
import { extname, resolve, sep } from 'node:path'
import type { HttpAnswer } from './http-answer.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}

/**
 * The file of a page at `path`, or `undefined` when the page has none. Nothing outside `directory`,
 * by whatever links.
 */
export async function answerFile(directory: string, path: string): Promise<HttpAnswer | undefined> {
  let relative: string
  try {
    relative = decodeURIComponent(path === '/' ? '/index.html' : path)
  } catch {
    return undefined
  }
  const file = resolve(directory, `.${relative}`)
  const type = types[extname(relative)]
  if (!file.startsWith(directory + sep) || type === undefined || relative.includes('\0')) {
    return undefined
  }
  try {
    const real = await realpath(file)
    if (!real.startsWith((await realpath(directory)) + sep)) return undefined
    return {
      status: 200,
      body: await readFile(real),
      type,
      headers: { 'cache-control': 'no-cache' },
    }
  } catch {
    return undefined
  }
}
