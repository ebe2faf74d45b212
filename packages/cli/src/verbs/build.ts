import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { BuiltDefinition, BuiltFile, Manifest } from '@fanfold/build'
import { readProject } from '@fanfold/node'
import { CommandError, usageError } from '../command-error.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { alignColumns } from '../output.ts'
import type { Verb, VerbInput } from '../verb.ts'

/** `fanfold build`. */
export const buildVerb: Verb = {
  name: 'build',
  meaning:
    'Builds what an authority runs and what edges may know of a definition. An edge variant has no first state, no handlers and no schemas, and of the rules and labels those up to its ceiling. The manifest <type>.json names the files; serve and dev take it in the place of a definition.',
  arguments: [
    { syntax: '<definition>', meaning: 'A definition module, or a directory with some.' },
  ],
  options: [
    { flags: '--out <dir>', meaning: 'The directory to write to.', default: 'dist' },
    {
      flags: '--no-minify',
      meaning: 'Leaves the authority variant readable; edge variants are always short.',
    },
  ],
  examples: [
    'build match.ts',
    'build examples/grand-prix --out dist/definitions',
    'build match.ts --no-minify --json',
  ],
  run: build,
}

async function build({
  arguments: paths,
  options,
  output,
  terminal,
}: VerbInput): Promise<ExitCode> {
  const [path] = paths
  if (path === undefined || paths.length > 1) throw usageError('one definition is needed')
  // The bundler takes a while to load, and no other verb needs it at once.
  const { buildDefinition, manifestOf } = await import('@fanfold/build')
  const out = resolve(terminal.directory, options.required('out'))
  const minify = options.isSet('minify')
  for (const module of readProject(resolve(terminal.directory, path)).definitions) {
    const built = await buildDefinition(module, { minify })
    const { manifest, files } = manifestOf(built, module)
    await writeFiles(out, files)
    const below = relative(terminal.directory, out) || '.'
    const shownOut = below.startsWith('..') ? out : below
    const report = { ...manifest, out: shownOut, warnings: built.warnings }
    await output.result(report, () => buildText({ built, manifest, out: shownOut }))
    for (const { place, message } of built.warnings) await output.note(`${place}: ${message}`)
  }
  return exitCodes.ok
}

/** Each file appears whole or not at all, and the one that names the others comes last. */
async function writeFiles(out: string, files: readonly BuiltFile[]): Promise<void> {
  for (const { name, text } of files) {
    const path = join(out, name)
    const aside = `${path}.${process.pid}.tmp`
    try {
      await mkdir(out, { recursive: true })
      await writeFile(aside, text)
      await rename(aside, path)
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined)
      const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      throw new CommandError('FANFOLD_FILE_FAILED', `cannot write ${path}: ${reason}`, error)
    }
  }
}

/** What was built, as a table, and what was cut out of each edge variant. */
export function buildText({
  built,
  manifest,
  out,
}: {
  readonly built: BuiltDefinition
  readonly manifest: Manifest
  readonly out: string
}): string {
  const rows = [manifest.authority, ...manifest.edges].map((variant, index) => {
    const edge = manifest.edges[index - 1]
    return [
      edge === undefined ? 'authority' : `edge, ceiling ${edge.ceiling}`,
      String(variant.bytes),
      String(variant.inputs.length),
      variant.hash.slice(0, 16),
      join(out, variant.file),
    ]
  })
  const cuts = built.edges.map(({ ceiling, cut, leftOut }) => [
    `ceiling ${ceiling}`,
    `without ${cut.join(', ')}, and ${leftOut.length} modules`,
  ])
  return [
    alignColumns([['variant', 'bytes', 'modules', 'sha-256', 'file'], ...rows]),
    alignColumns(cuts),
    `manifest  ${join(out, `${manifest.type}.json`)}`,
  ].join('\n\n')
}
