import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { isLiveHere } from '../src/node-topology.ts'
import type { ProcessRoles } from '../src/process-roles.ts'

const doc = parseDocumentKey('acme/match/final')

/** A process whose roles have this of the document. */
const having = (standings: {
  readonly authority?: object
  readonly proxy?: object
  readonly edge?: object
}): ProcessRoles => {
  const { authority, proxy, edge } = standings
  const role = (standing: object | undefined) => ({ standingOf: () => standing })
  return {
    authority: role(authority),
    proxies: [role(proxy)],
    edges: [role(edge)],
  } as unknown as ProcessRoles
}

const fresh = { isLive: true, staleForMs: undefined }

t.test('what comes fresh from a parent, or is one’s own, is live', async t => {
  t.equal(isLiveHere(doc, having({ proxy: fresh, edge: fresh }), false), true)
  t.equal(isLiveHere(doc, having({ authority: {}, proxy: fresh }), true), true)
  t.equal(isLiveHere(doc, having({ authority: {} }), true), true)
})

t.test('of what is not here nothing is said', async t => {
  t.equal(isLiveHere(doc, having({}), false), undefined)
  t.equal(isLiveHere(doc, having({}), true), undefined)
})

t.test('what is old, refused, or another’s by now is not live', async t => {
  const old = { isLive: true, staleForMs: 5 }
  t.equal(isLiveHere(doc, having({ proxy: fresh, edge: old }), false), false)
  t.equal(isLiveHere(doc, having({ edge: { ...fresh, isLive: false } }), false), false)
  t.equal(isLiveHere(doc, having({ authority: { refusal: 'FANFOLD_FENCED' } }), true), false)
  t.equal(isLiveHere(doc, having({ authority: {}, edge: fresh }), false), false)
})
