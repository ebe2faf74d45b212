/*
 * A definition with a marker of 16 bytes in every place from which something could come out: see
 * canary-places.ts for who may see which.
 */
import { defineDocument, type JsonObject, type JsonValue, message } from 'fanfold'
import { z } from 'zod'

const path = z.array(z.string().max(80)).min(1).max(8)

/** The holder of a path's last member; objects on the way are made. */
function holderOf(state: JsonObject, names: readonly string[]): JsonObject | JsonValue[] {
  let holder: JsonObject | JsonValue[] = state
  for (const name of names.slice(0, -1)) {
    const next: JsonValue | undefined = Array.isArray(holder) ? holder[Number(name)] : holder[name]
    if (typeof next === 'object' && next !== null) holder = next
    else if (Array.isArray(holder)) throw new Error('elements are not made')
    else {
      holder[name] = {}
      holder = holder[name] as JsonObject
    }
  }
  return holder
}

export default defineDocument({
  type: 'canary',
  state: (): JsonObject => ({ phase: 'first', 'Initial-name-001': { x: 'Initial-text-002' } }),

  messages: {
    put: message(z.strictObject({ path, value: z.json() }), (state, { path, value }) => {
      if (value === 'Handler-text-003') throw new Error('Handler-error-04')
      const holder = holderOf(state, path)
      const name = path.at(-1) ?? ''
      if (Array.isArray(holder)) holder.splice(Number(name), 0, value)
      else holder[name] = value
    }),
    drop: message(z.strictObject({ path }), (state, { path }) => {
      const holder = holderOf(state, path)
      const name = path.at(-1) ?? ''
      if (Array.isArray(holder)) holder.splice(Number(name), 1)
      else delete holder[name]
    }),
    fail: message(
      z.strictObject({ text: z.string().describe('Schema-text--005') }),
      (state, { text }) => {
        state['phase'] = text
        throw new Error(`Handler-error-06 ${text}`)
      },
    ),
  },

  observe: {
    allow: viewer => viewer.claims['banned'] !== 'Policy-text--007',
    audience: ({ id, claims }) => ({
      id,
      premium: claims['plan'] === 'premium',
      level: typeof claims['level'] === 'number' ? claims['level'] : 0,
      tag: typeof claims['tag'] === 'string' ? claims['tag'] : '',
    }),
    clearance: ({ level }) => level,
  },

  privacy: {
    '/Initial-name-001': () => false,
    '/secret': ({ premium }) => premium,
    '/hands/*': ({ id }, { key }) => key === id,
    '/table/*/cards': ({ premium }) => premium,
    '/list/*': ({ premium }, { key }) => premium || key === '0',
    '/later': { reads: ['/phase'], allow: (_, { reads }) => reads['/phase'] === 'over' },
    '/mixed/secret': ({ premium }) => premium,
    '/fragile': {
      reads: ['/phase', '/secret/read'],
      allow: (audience, { reads }) => {
        if (reads['/phase'] === 'broken') {
          throw new Error(`Thrown-text--008 ${reads['/secret/read']} ${audience.tag}`)
        }
        return true
      },
    },
    '/Label-1-name-009': { reads: [], allow: ({ tag }) => tag !== 'Label-1-rule-010' },
    '/Label-2-name-011': { reads: [], allow: ({ tag }) => tag !== 'Label-2-rule-012' },
  },

  labels: {
    '/Label-1-name-009': 1,
    '/Label-2-name-011': 2,
    '/mixed/inner': 1,
    '/mixed/deeper': 2,
  },
})
