import { mintToken } from '@fanfold/node'
import type { GrantedAction } from '@fanfold/protocol'
import { usageError } from '../command-error.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { readTokenKey, tokenKeyError, tokenKeyOption } from '../token-key.ts'
import type { Verb, VerbInput } from '../verb.ts'
import { tokenCheckVerb } from './token-check.ts'
import { tokenFleetVerb } from './token-fleet.ts'
import { tokenKeyVerb } from './token-key.ts'
import { tokenLinkVerb } from './token-link.ts'

/** The longest life of a token: ten years, ms. */
const ttlMsMax = 3_650 * 86_400_000

/** `fanfold token`. */
export const tokenVerb: Verb = {
  name: 'token',
  meaning: 'Makes a token of a viewer or writer; the verbs under it check tokens and make keys.',
  options: [
    { flags: '--user <subject>', meaning: 'Who the bearer is.' },
    {
      flags: '--documents <glob...>',
      meaning: 'Which documents: * stands for any characters but /, ** for any.',
    },
    {
      flags: '--allow <actions>',
      meaning: 'What the bearer may do: observe, write, create, delete.',
      default: 'observe',
    },
    { flags: '--claims <json>', meaning: "The application's own claims, an object." },
    { flags: '--tenant <tenant>', meaning: 'Only documents of this tenant.' },
    { flags: '--audience <audience>', meaning: 'The audience, where nodes ask for one.' },
    { flags: '--issuer <issuer>', meaning: 'The issuer, where nodes ask for one.' },
    { flags: '--ttl <duration>', meaning: 'How long the token is good.', default: '1h' },
    tokenKeyOption,
  ],
  examples: [
    `token --user ada --documents 'acme/match/*' --allow observe --key token.key`,
    `token --user feed --documents 'acme/**' --allow observe,write,create --ttl 30d --key token.key`,
    `token --user bo --documents 'acme/**' --claims '{"plan":"premium"}' --key token.key --json`,
    'token check $TOKEN --key token.key',
    'token key --out token.key',
    'token fleet --out fleet',
    'token link --node edge-1 --region eu --roles proxy,edge --fleet-key fleet/fleet.pem --out edge-1',
  ],
  verbs: [tokenCheckVerb, tokenKeyVerb, tokenFleetVerb, tokenLinkVerb],
  run: token,
}

async function token(input: VerbInput): Promise<ExitCode> {
  const { options, output, terminal } = input
  const subject = options.required('user')
  const documents = options.list('documents')
  if (documents.length === 0) throw usageError("--documents is needed, as 'acme/match/*'")
  const claims = options.json('claims')
  if (claims !== undefined && !isObject(claims)) throw usageError('--claims is an object')
  const ttlMs = options.duration('ttl', { minMs: 1_000, maxMs: ttlMsMax })
  const allow = parseActions(options.required('allow'))
  const key = await readTokenKey(input)
  const nowMs = terminal.clock.wallClock()
  const minted = await mintToken({
    key,
    subject,
    documents,
    allow,
    ttlMs,
    claims,
    tenant: options.text('tenant'),
    audience: options.text('audience'),
    issuer: options.text('issuer'),
    wallClock: () => nowMs,
  }).catch((error: unknown): never => {
    throw tokenKeyError(error)
  })
  const expires = new Date(nowMs + ttlMs).toISOString()
  await output.result({ token: minted, subject, documents, allow, expires }, () => minted)
  return exitCodes.ok
}

const actions: readonly GrantedAction[] = ['observe', 'write', 'create', 'delete']

function parseActions(text: string): readonly GrantedAction[] {
  return text.split(',').map(word => {
    const action = actions.find(one => one === word.trim())
    if (action !== undefined) return action
    throw usageError(`--allow is a list of ${actions.join(', ')}, got ${JSON.stringify(word)}`)
  })
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
