import { ConfigReload, createLog, keepMemorySmall, startNode } from '@fanfold/node'
import { configOptions, readConfig } from '../config-options.ts'
import type { ExitCode } from '../exit-code.ts'
import { failNode, stopNode, untilInterrupted } from '../run-node.ts'
import type { Verb, VerbInput } from '../verb.ts'

/** `fanfold serve`. */
export const serveVerb: Verb = {
  name: 'serve',
  meaning:
    'Runs one node, and logs to standard output. SIGTERM, SIGINT and fanfold drain let it finish within limits.drainDeadlineMs; a second one ends it at once. SIGHUP reads the configuration again, and takes tenants.allow, tenants.deny, tenants.quotas and renewed certificates (tls) of it. It ends with 70 when its shared state is in doubt: let a supervisor start it again. The log is synced on the thread pool of Node: set UV_THREADPOOL_SIZE to the number of documents written to at a time where that is over 4.',
  arguments: [
    {
      syntax: '[definition...]',
      meaning:
        'Definition modules, manifests that fanfold build wrote, or directories with definitions; only an authority needs them.',
    },
  ],
  options: configOptions,
  examples: [
    'serve match.ts --token-key-file token.key',
    'serve dist/match.json --token-key-file token.key',
    'serve -c fanfold.yaml',
    'serve match.ts --token-key-file token.key --tls-certificate-file chain.pem --tls-private-key-file key.pem',
    'serve --roles proxy,edge --parent ws://10.0.0.1:9600 --link-token-file edge.link-token --link-private-key-file edge.pem --link-fleet-public-key $FLEET_KEY --token-key-file token.key',
  ],
  run: serve,
}

async function serve(input: VerbInput): Promise<ExitCode> {
  const { terminal } = input
  const started = await readConfig(input)
  const { config, file } = started
  if (config.roles.every(role => role === 'edge')) keepMemorySmall()
  const log = createLog({
    level: config.logging.level,
    node: config.node.id ?? '',
    region: config.region,
    destination: terminal.logs,
  })
  const drain = new AbortController()
  const starting = startNode({
    config,
    log,
    fail: failNode(terminal, () => log),
    drainAsked: () => drain.abort(),
  })
  const reload = new ConfigReload({
    started,
    read: () => readConfig(input, file),
    take: async changed => (await starting).reconfigure(changed),
    log,
  })
  terminal.onHangup(() => void reload.ask())
  const node = await starting
  const { port, adminPort } = node
  log.info({ event: 'node.ready', roles: config.roles, port, adminPort }, 'node ready')
  await untilInterrupted(terminal, drain.signal)
  return await stopNode(() => node.stop(), {
    terminal,
    deadlineMs: config.limits.drainDeadlineMs,
    log,
  })
}
