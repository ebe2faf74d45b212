/*
 * Compiles the addon with nothing but a C compiler: Node's C interface is stable from version to version, and its
 * headers come as a package.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { addonPath, sourceDigest, sourcePath } from './addon-files.ts'

/** Longest time for the compiler, ms: it takes a fraction of a second. */
const compileMsMax = 60_000

/**
 * The addon could not be built.
 *
 * - `FANFOLD_NO_COMPILER`: there is no C compiler, or it is not where `CC` says
 * - `FANFOLD_NOT_COMPILED`: there is one, and it failed; its words are in the message
 */
export class CompileError extends Error {
  readonly code: 'FANFOLD_NO_COMPILER' | 'FANFOLD_NOT_COMPILED'

  constructor(code: CompileError['code'], message: string, options?: { readonly cause: unknown }) {
    super(message, options)
    this.name = 'CompileError'
    this.code = code
  }
}

/**
 * Compiles the addon. A process that has loaded the one before keeps it.
 *
 * @throws CompileError
 */
export function compileAddon(options: {
  /** The compiler; `cc` for the system's own. */
  readonly compiler: string
  /** What it is told beyond what is needed. */
  readonly flags?: readonly string[] | undefined
  /** Where the addon is put; where it is loaded from when left out. */
  readonly path?: string | undefined
}): void {
  const { compiler, flags = [], path = addonPath } = options
  const unfinished = `${path}.${process.pid}`
  mkdirSync(dirname(path), { recursive: true })
  try {
    runCompiler(compiler, [...compilerFlags(), ...flags, '-o', unfinished, sourcePath])
    // At once, as another process may load it or build it meanwhile.
    renameSync(unfinished, path)
  } finally {
    rmSync(unfinished, { force: true })
  }
}

function compilerFlags(): string[] {
  const flags = ['-O2', '-shared', '-fPIC', '-I', headersPath()]
  // Node has the functions of the headers; this linker wants to be told that somebody will.
  if (process.platform === 'darwin') flags.push('-undefined', 'dynamic_lookup')
  return [...flags, `-DSOURCE_SHA256="${sourceDigest()}"`]
}

function headersPath(): string {
  const manifest = createRequire(import.meta.url).resolve('node-api-headers/package.json')
  return join(dirname(manifest), 'include')
}

function runCompiler(compiler: string, args: readonly string[]): void {
  const { status, signal, error, stderr } = spawnSync(compiler, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: compileMsMax,
  })
  if (status === 0) return
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
    throw new CompileError('FANFOLD_NO_COMPILER', missingSentence(compiler), { cause: error })
  }
  const why = stderr || String(error?.message ?? signal ?? status)
  throw new CompileError('FANFOLD_NOT_COMPILED', `${compiler} did not compile the addon: ${why}`)
}

function missingSentence(compiler: string): string {
  return `the native addon needs a C compiler, and there is no ${compiler}: run \`apt-get install gcc libc6-dev\` as root, or set CC to one`
}
