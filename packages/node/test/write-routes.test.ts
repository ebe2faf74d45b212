import type { IncomingMessage } from 'node:http'
import { FleetView, Placement } from '@fanfold/topology'
import t from 'tap'
import { noTokens, TokenError, type TokenVerifier } from '../src/viewer-tokens.ts'
import { answerWrite } from '../src/write-routes.ts'

const doc = 'acme/match/final'
const request = { method: 'POST', headers: { authorization: 'Bearer x' } } as IncomingMessage

const all: TokenVerifier = {
  verify: async () => ({
    subject: 's',
    documents: ['**'],
    allow: ['create'],
    tenant: undefined,
    claims: {},
    expiresAtMs: 0,
  }),
}
const none: TokenVerifier = {
  verify: () => Promise.reject(new TokenError('malformed', 'this is no token')),
}

/** What a node that is no authority answers, with nobody else in its fleet, or in none. */
async function answered(verifier: TokenVerifier, isOfFleet: boolean) {
  const fleet = new FleetView({ node: 'edge', region: 'eu', roles: ['edge'] })
  fleet.placed(new Placement({ members: [] }))
  const options = { authority: undefined, verifier, fleet: isOfFleet ? fleet : undefined }
  const answer = await answerWrite(request, `/v1/documents/${doc}`, options)
  const { code, message }: { code: string; message: string } = JSON.parse(String(answer?.body))
  return { status: answer?.status, code, message }
}

t.test('a node that is no authority says so, and one of a fleet why nobody is', async t => {
  t.match(await answered(all, false), { status: 421, code: 'FANFOLD_NOT_AUTHORITY' })
  t.match(await answered(all, true), {
    status: 503,
    code: 'FANFOLD_NO_AUTHORITY',
    message: /^no authority takes acme\/match\/final: 0 alive.*; start one/,
  })
})

t.test('who may not write is told nothing of the fleet', async t => {
  t.match(await answered(none, true), { status: 401, code: 'FANFOLD_UNAUTHORIZED' })
  t.match(await answered(noTokens, true), { status: 421, code: 'FANFOLD_NOT_AUTHORITY' })
})
