/* infra/compose.yaml as far as the tests look at it. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

/** The repository's root, with a slash at its end. */
export const root: string = fileURLToPath(new URL('../../../../../', import.meta.url))

/** A file of the repository as text. */
export const readText = (path: string): string => readFileSync(`${root}${path}`, 'utf8')

/** One service, with what it has from anchors. */
export type ComposeService = {
  readonly name: string
  /** The program in place of the image's own, `fanfold`. */
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Ports on this machine, by the port inside. */
  readonly ports: readonly { readonly host: string; readonly inside: string }[]
  /** What has to be as said before it starts. */
  readonly after: Readonly<Record<string, string>>
  readonly volumes: readonly string[]
  readonly networks: readonly string[]
  /** Everything as it stands in the file. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** What infra/compose.yaml says. */
export type ComposeFile = {
  /** In the order of the file. */
  readonly services: readonly ComposeService[]
  /** Those that are nodes: they run the image's own program. */
  readonly nodes: readonly ComposeService[]
  readonly volumes: readonly string[]
  /** Networks, and whether they lead nowhere else. */
  readonly networks: ReadonlyMap<string, { readonly isInternal: boolean }>
}

/** Reads infra/compose.yaml. */
export function readCompose(): ComposeFile {
  // What services have in common is said once, so there are many aliases.
  const file = record(parse(readText('infra/compose.yaml'), { merge: true, maxAliasCount: -1 }))
  const services = Object.entries(record(file['services'])).map(([name, value]) => {
    const fields = record(value)
    return {
      name,
      entrypoint: texts(fields['entrypoint']),
      command: texts(fields['command']),
      environment: Object.fromEntries(
        Object.entries(record(fields['environment'] ?? {})).map(([variable, value]) => [
          variable,
          String(value),
        ]),
      ),
      ports: texts(fields['ports']).map(text => {
        const [address, host = '', inside = ''] = text.split(':')
        if (address !== '127.0.0.1') throw new Error(`${name} is published on ${address}`)
        return { host, inside }
      }),
      after: Object.fromEntries(
        Object.entries(record(fields['depends_on'] ?? {})).map(([other, said]) => [
          other,
          String(record(said)['condition']),
        ]),
      ),
      volumes: texts(fields['volumes']),
      networks: texts(fields['networks']),
      fields,
    }
  })
  const networks = Object.entries(record(file['networks'])).map(
    ([name, said]): [string, { isInternal: boolean }] => [
      name,
      { isInternal: said !== null && record(said)['internal'] === true },
    ],
  )
  return {
    services,
    nodes: services.filter(({ entrypoint, command }) => {
      return entrypoint.length === 0 && command[0] === 'serve'
    }),
    volumes: Object.keys(record(file['volumes'])),
    networks: new Map(networks),
  }
}

/** Services that a service reaches: they share a network with it. */
export const reachedFrom = (
  services: readonly ComposeService[],
  { name, networks }: ComposeService,
): string[] =>
  services
    .filter(other => other.name !== name && other.networks.some(one => networks.includes(one)))
    .map(other => other.name)

/** The service of a name. */
export function serviceOf(services: readonly ComposeService[], name: string): ComposeService {
  const service = services.find(one => one.name === name)
  if (service === undefined) throw new Error(`there is no service ${name}`)
  return service
}

/** `--name=value` arguments, and those by position. */
export function splitArguments(args: readonly string[]): {
  options: Map<string, string>
  positional: string[]
} {
  const options = new Map<string, string>()
  const positional: string[] = []
  for (const argument of args) {
    const [, name, value] = /^(--[a-z-]+)=(.*)$/.exec(argument) ?? []
    if (name === undefined || value === undefined) positional.push(argument)
    else options.set(name, value)
  }
  return { options, positional }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`a map, got ${JSON.stringify(value)}`)
  }
  return Object.fromEntries(Object.entries(value))
}

function texts(value: unknown): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new Error(`a list, got ${JSON.stringify(value)}`)
  return value.map(String)
}
