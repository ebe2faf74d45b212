import { join, resolve } from 'node:path'
import { generateFleetKey } from '@fanfold/node'
import { exitCodes } from '../exit-code.ts'
import { alignColumns } from '../output.ts'
import { writeSecret } from '../secret-file.ts'
import type { Verb } from '../verb.ts'

/** `fanfold token fleet`. */
export const tokenFleetVerb: Verb = {
  name: 'fleet',
  meaning:
    'Makes the key of a fleet, which signs link tokens: fleet.pem stays with the operator, fleet.pub goes to every node as link.fleetPublicKeys.',
  options: [{ flags: '--out <dir>', meaning: 'The directory to write to.', default: '.' }],
  examples: ['token fleet --out fleet'],
  async run({ options, output, terminal }) {
    const directory = resolve(terminal.directory, options.required('out'))
    const { privateKey, publicKey } = generateFleetKey()
    const files = {
      privateKey: join(directory, 'fleet.pem'),
      publicKey: join(directory, 'fleet.pub'),
    }
    await writeSecret(files.privateKey, privateKey)
    await writeSecret(files.publicKey, publicKey)
    await output.result({ publicKey, files }, () =>
      alignColumns([
        ['public key', publicKey],
        ['private key in', files.privateKey],
        ['nodes take it as', `--link-fleet-public-key ${publicKey}`],
      ]),
    )
    return exitCodes.ok
  },
}
