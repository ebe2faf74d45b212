import { resolve } from 'node:path'
import { generateDevelopmentKey, generateNodeKey } from '@fanfold/node'
import { exitCodes } from '../exit-code.ts'
import { writeSecret } from '../secret-file.ts'
import type { Verb } from '../verb.ts'

/** `fanfold token key`. */
export const tokenKeyVerb: Verb = {
  name: 'key',
  meaning:
    'Makes a key of tokens: a secret that nodes and whoever makes tokens share, or with --ed25519 a pair, of which nodes need the public half only.',
  options: [
    { flags: '--ed25519', meaning: 'A pair of keys: a private PEM, and a public JWK.' },
    {
      flags: '--out <file>',
      meaning: 'Writes it there; the public half with .pub behind the name.',
    },
  ],
  examples: ['token key --out token.key', 'token key --ed25519 --out signer.pem'],
  async run({ options, output, terminal }) {
    const { secret, publicJwk } = options.isSet('ed25519')
      ? makePair()
      : { secret: generateDevelopmentKey(), publicJwk: undefined }
    const out = options.text('out')
    if (out === undefined) {
      await output.result({ key: secret, publicKey: publicJwk }, () =>
        [secret, ...(publicJwk === undefined ? [] : [publicJwk])].join('\n'),
      )
      return exitCodes.ok
    }
    const path = resolve(terminal.directory, out)
    await writeSecret(path, secret)
    if (publicJwk !== undefined) await writeSecret(`${path}.pub`, publicJwk)
    const files = publicJwk === undefined ? [path] : [path, `${path}.pub`]
    await output.result({ files, publicKey: publicJwk }, () => files.join('\n'))
    return exitCodes.ok
  },
}

function makePair(): { readonly secret: string; readonly publicJwk: string } {
  const { privateKey, publicKey } = generateNodeKey()
  const publicJwk = JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: publicKey })
  return { secret: privateKey.trim(), publicJwk }
}
