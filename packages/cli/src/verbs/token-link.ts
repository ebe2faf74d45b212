import { join, resolve } from 'node:path'
import { generateNodeKey, mintLinkToken } from '@fanfold/node'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { alignColumns } from '../output.ts'
import { readSecret, writeSecret } from '../secret-file.ts'
import { tokenKeyError } from '../token-key.ts'
import type { Verb, VerbInput } from '../verb.ts'

/** The longest life of a link token: ten years, ms. */
const ttlMsMax = 3_650 * 86_400_000

/** `fanfold token link`. */
export const tokenLinkVerb: Verb = {
  name: 'link',
  meaning:
    'Makes the identity of a node: its key, and a link token that says what it is, signed by the fleet.',
  options: [
    { flags: '--node <id>', meaning: 'The id of the node.' },
    { flags: '--region <region>', meaning: 'The region the node stands in.', default: 'local' },
    {
      flags: '--roles <roles>',
      meaning: 'What the node may be: authority, proxy, edge.',
      default: 'authority,proxy,edge',
    },
    {
      flags: '--ceiling <tag>',
      meaning:
        'The highest part of records that may cross a link to the node: 0 public, 239 all labels, 255 what only authorities keep.',
      default: '239',
    },
    { flags: '--fleet-key <file>', meaning: 'The private key of the fleet.' },
    { flags: '--ttl <duration>', meaning: 'How long the token is good.', default: '365d' },
    { flags: '--out <dir>', meaning: 'The directory to write to.', default: '.' },
  ],
  examples: [
    'token link --node edge-1 --region eu --roles proxy,edge --fleet-key fleet/fleet.pem --out edge-1',
  ],
  run: link,
}

async function link(input: VerbInput): Promise<ExitCode> {
  const { options, output, terminal } = input
  const node = options.required('node')
  const fleetKeyFile = resolve(terminal.directory, options.required('fleetKey'))
  const ceiling = options.integer('ceiling', { min: 0, max: 255 }) ?? 0
  const ttlMs = options.duration('ttl', { minMs: 1_000, maxMs: ttlMsMax })
  const directory = resolve(terminal.directory, options.required('out'))
  const nodeKey = generateNodeKey()
  const token = await mintLinkToken({
    fleetPrivateKey: await readSecret(fleetKeyFile),
    nodePublicKey: nodeKey.publicKey,
    node,
    region: options.required('region'),
    roles: options.required('roles').split(','),
    ceiling,
    ttlMs,
    wallClock: () => terminal.clock.wallClock(),
  }).catch((error: unknown): never => {
    throw tokenKeyError(error)
  })
  const files = {
    privateKey: join(directory, `${node}.pem`),
    token: join(directory, `${node}.link-token`),
  }
  await writeSecret(files.privateKey, nodeKey.privateKey)
  await writeSecret(files.token, token)
  await output.result({ node, publicKey: nodeKey.publicKey, files }, () =>
    alignColumns([
      ['private key in', files.privateKey],
      ['link token in', files.token],
      ['the node takes them as', `--link-private-key-file ${files.privateKey}`],
      ['', `--link-token-file ${files.token}`],
    ]),
  )
  return exitCodes.ok
}
