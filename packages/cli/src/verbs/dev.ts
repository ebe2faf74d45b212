import { randomBytes } from 'node:crypto'
import { createConfig, createLog, type Log, type RunningDev, startDev } from '@fanfold/node'
import { build as prettyStream } from 'pino-pretty'
import { usageError } from '../command-error.ts'
import type { ExitCode } from '../exit-code.ts'
import { alignColumns } from '../output.ts'
import { failNode, stopNode, untilInterrupted } from '../run-node.ts'
import type { Terminal } from '../terminal.ts'
import type { Verb, VerbInput } from '../verb.ts'

/** A development tree is small and has nobody to wait for, ms. */
const stopDeadlineMs = 5_000

/** `fanfold dev`. */
export const devVerb: Verb = {
  name: 'dev',
  meaning:
    'Runs the whole tree in one process: an authority, proxies in each region, edges. A definition that changes is loaded again under live viewers. Tokens are good until the process ends, or as long as the key in FANFOLD_TOKEN_KEY is the same.',
  arguments: [
    {
      syntax: '[project...]',
      meaning: 'Definition modules, manifests of built ones, or directories with definitions.',
    },
  ],
  options: [
    { flags: '--regions <n>', meaning: 'Regions, each with two tiers of proxies.', default: '2' },
    { flags: '--edges <n>', meaning: 'Edges, over the regions in turn.', default: '2' },
    { flags: '--port <port>', meaning: 'The public port; 0 for any free one.', default: '9600' },
    {
      flags: '--admin-port <port>',
      meaning: 'The admin port; 0 for any free one.',
      default: '9700',
    },
    {
      flags: '--data <dir>',
      meaning: 'The directory of logs and snapshots.',
      default: './.fanfold-dev',
    },
    {
      flags: '--quota <rule>',
      meaning: 'What a tenant may take, as tenants.quotas of a configuration: "acme viewers=10".',
      isRepeatable: true,
    },
    { flags: '--seed <text>', meaning: "Seed of the demonstration's feed; by chance without it." },
    {
      flags: '--log-level <level>',
      meaning: 'The least severe lines that are logged.',
      default: 'warn',
    },
  ],
  examples: [
    'dev examples/grand-prix',
    'dev match.ts --edges 1 --port 0',
    'dev . --data /tmp/dev --seed 7',
  ],
  run: dev,
}

async function dev(input: VerbInput): Promise<ExitCode> {
  const { arguments: definitions, options, output, terminal } = input
  if (definitions.length === 0) throw usageError('a definition or a project is needed')
  const regions = options.integer('regions', { min: 1, max: 16 }) ?? 1
  const edges = options.integer('edges', { min: 1, max: 64 }) ?? 1
  const config = createConfig(
    {
      definitions,
      host: '127.0.0.1',
      adminHost: '127.0.0.1',
      port: options.required('port'),
      adminPort: options.required('adminPort'),
      data: options.required('data'),
      'logging.level': options.required('logLevel'),
      'tenants.quotas': options.list('quota'),
      tokenKey: terminal.environment['FANFOLD_TOKEN_KEY'],
    },
    terminal.directory,
  )
  const log = devLog(config.logging.level, terminal)
  const running = await startDev({
    config,
    regions,
    edges,
    log,
    fail: failNode(terminal, () => log),
    onReload: type => void output.note(`${type} loaded again`),
    seed: options.text('seed') ?? randomBytes(4).toString('hex'),
  })
  const { stop: _, ...shown } = running
  await output.result(shown, () => devText(running))
  await untilInterrupted(terminal)
  return await stopNode(() => running.stop(), { terminal, deadlineMs: stopDeadlineMs, log })
}

type Level = Parameters<typeof createLog>[0]['level']

/** A log that a person can read where one is reading, JSON otherwise. */
function devLog(level: Level, { logs, out, environment }: Terminal): Log {
  const isColoured = environment['NO_COLOR'] === undefined || environment['NO_COLOR'] === ''
  const pretty = { colorize: isColoured, sync: true, ignore: 'node,region,event', singleLine: true }
  const destination = logs ?? (out.isTerminal ? prettyStream(pretty) : undefined)
  return createLog({ level, node: 'dev', region: 'dev', destination })
}

/** Where everything is, for a person: what to open, and what to try next. */
export function devText(running: Omit<RunningDev, 'stop'>): string {
  const { observeUrls, writeUrl, pageUrl, operatorUrl, token, document } = running
  const url = writeUrl.replace(/\/v1\/write$/, '')
  const doc = document ?? '<tenant>/<type>/<id>'
  return alignColumns([
    ...observeUrls.map((observeUrl, index) => [index === 0 ? 'observe' : '', observeUrl]),
    ['viewer page', pageUrl ?? '(the project has none)'],
    ['operator page', operatorUrl],
    ['token', token],
    ['write', writeUrl],
    ['try', `npx fanfold tail ${doc} --url ${url} --as ${token}`],
  ])
}
