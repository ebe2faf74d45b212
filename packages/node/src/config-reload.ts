/*
 * The configuration, read again while a node runs. Of what differs then, some may be taken at once; the rest is told
 * to need a restart. One that is wrong in any point changes nothing.
 */
import type { Config, LoadedConfig } from './config.ts'
import { ConfigError } from './config-error.ts'
import { type ConfigName, configNames } from './config-table.ts'
import type { ConfigValue } from './config-value.ts'
import type { Log } from './logging.ts'

/** Options that a node takes anew while it runs; all others it reads at its start alone. */
export const liveOptions: ReadonlySet<ConfigName> = new Set<ConfigName>([
  'tenants.allow',
  'tenants.deny',
  'tenants.quotas',
  'tls.certificate',
  'tls.privateKey',
  'tls.authorities',
])

/** Those of them that another value replaces live; to have one, or to have none any more, needs a restart. */
const replacedLive: ReadonlySet<ConfigName> = new Set<ConfigName>([
  'tls.certificate',
  'tls.privateKey',
])

/** How a configuration is read again. */
export type ConfigReloadOptions = {
  /** What the node was started with. */
  readonly started: LoadedConfig
  /** Reads it from where it was had. @throws ConfigError */
  readonly read: () => Promise<LoadedConfig>
  /** Takes of it what may change live. */
  readonly take: (config: Config) => void | Promise<void>
  readonly log: Log
}

/** Reads a configuration again, each time that it is asked to. */
export class ConfigReload {
  readonly #options: ConfigReloadOptions
  /** What the node runs with. */
  readonly #values: Map<ConfigName, ConfigValue>
  #isAsked = false
  #reading: Promise<void> | undefined

  constructor(options: ConfigReloadOptions) {
    this.#options = options
    this.#values = new Map(options.started.values)
  }

  /** Reads it; asked while it reads, once more after that. Resolves when all is done, and never rejects. */
  async ask(): Promise<void> {
    this.#isAsked = true
    this.#reading ??= this.#readAll()
    await this.#reading
  }

  async #readAll(): Promise<void> {
    while (this.#isAsked) {
      this.#isAsked = false
      await this.#readOnce().catch(error => this.#refuse(error))
    }
    this.#reading = undefined
  }

  async #readOnce(): Promise<void> {
    const { read, take, log } = this.#options
    const loaded = await read()
    const differing = configNames.filter(
      name => !isSame(this.#values.get(name), loaded.values.get(name)),
    )
    const isLive = (name: ConfigName): boolean =>
      liveOptions.has(name) &&
      (!replacedLive.has(name) || (this.#values.has(name) && loaded.values.has(name)))
    const options = differing.filter(isLive)
    const others = differing.filter(name => !isLive(name))
    if (options.length > 0) {
      await take(loaded.config)
      for (const name of options) {
        const value = loaded.values.get(name)
        if (value === undefined) this.#values.delete(name)
        else this.#values.set(name, value)
      }
    }
    if (others.length > 0) {
      const line = { event: 'config.needs-restart', options: others }
      log.warn(line, 'options differ that are taken at a start alone')
    }
    log.info({ event: 'config.reloaded', options }, 'configuration read again')
  }

  #refuse(error: unknown): void {
    const { log } = this.#options
    const problems = error instanceof ConfigError ? error.problems : undefined
    const reason = error instanceof ConfigError ? error.code : String(error)
    const line = { event: 'config.refused', reason, problems }
    log.error(line, 'configuration is wrong: the node goes on with the one it has')
  }
}

const isSame = (one: ConfigValue | undefined, other: ConfigValue | undefined): boolean =>
  JSON.stringify(one) === JSON.stringify(other)
