/* A node to attack: real ports, a definition that trusts its writers too much, and all it logs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GrantedAction } from '@fanfold/protocol'
import type { Test } from 'tap'
import { type ConfigName, createConfig, createLog, mintToken, startNode } from '../src/index.ts'

/** Key of the tokens that the node accepts. */
export const tokenKey = 'a-key-for-tests-only-0123456789abcdef'

/** A node under attack. */
export type Victim = {
  readonly port: number
  readonly adminPort: number
  /** It is given another configuration while it runs. */
  reconfigure(options: Readonly<Partial<Record<ConfigName, unknown>>>): void
  /** Everything it has logged, at the lowest level. */
  logged(): string
  /** Longest time its event loop was held up since the last call, ms. */
  stalledMs(): number
}

/** Starts a node that ends with the test; the test fails when the node gives itself up. */
export async function startVictim(
  test: Test,
  options: Readonly<Partial<Record<ConfigName, unknown>>> = {},
): Promise<Victim> {
  const directory = test.testdir({ definitions: {} })
  const definition = join(directory, 'definitions', 'definition.ts')
  writeFileSync(definition, definitionSource)
  const configOf = (more: typeof options) =>
    createConfig(
      { port: 0, adminPort: 0, tokenKey, data: 'data', definitions: [definition], ...more },
      directory,
    )
  const config = configOf(options)
  let logged = ''
  const write = (line: string): void => {
    logged += line
  }
  const log = createLog({ level: 'trace', node: 'victim', region: 'test', destination: { write } })
  const fail = (error: unknown): void => {
    test.fail('the node gave itself up', { error })
  }
  const node = await startNode({ config, log, fail })
  const watch = watchLoop()
  test.teardown(async () => {
    watch.stop()
    await node.stop()
  })
  return {
    port: node.port,
    adminPort: node.adminPort,
    reconfigure: more => node.reconfigure(configOf(more)),
    logged: () => logged,
    stalledMs: watch.longestMs,
  }
}

/** A token that allows everything everywhere, or what the overrides say. */
export const tokenFor = async (
  overrides: {
    readonly subject?: string
    readonly documents?: readonly string[]
    readonly allow?: readonly GrantedAction[]
    readonly tenant?: string
    readonly ttlMs?: number
    readonly key?: string
  } = {},
): Promise<string> =>
  await mintToken({
    key: tokenKey,
    subject: 'mallory',
    documents: ['**'],
    allow: ['observe', 'write', 'create', 'delete'],
    ttlMs: 600_000,
    ...overrides,
  })

/** Resolves when `isTrue` says so; rejects with `what` when that takes too long. */
export async function until(isTrue: () => boolean, what: string, ms = 5_000): Promise<void> {
  const endsAt = performance.now() + ms
  while (!isTrue()) {
    if (performance.now() > endsAt) throw new Error(`not within ${ms} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function watchLoop(): { longestMs(): number; stop(): void } {
  const everyMs = 5
  let last = performance.now()
  let longestMs = 0
  const timer = setInterval(() => {
    const now = performance.now()
    longestMs = Math.max(longestMs, now - last - everyMs)
    last = now
  }, everyMs)
  timer.unref()
  return {
    longestMs: () => {
      const taken = longestMs
      longestMs = 0
      return taken
    },
    stop: () => clearInterval(timer),
  }
}

/** Handlers as a hurried author writes them: every value is let in, and names come from the writer. */
const definitionSource = `
import { count, countBy, defineDocument, message, reducer } from 'fanfold'
import { z } from 'zod'
const any = { '~standard': { version: 1, vendor: 'test', validate: value => ({ value }) } }
export default defineDocument({
  type: 'board',
  state: () => ({ any: null, players: {}, grid: [[0, 0], [0, 0]], cheers: {}, claps: 0, secret: 'canary-of-the-state' }),
  messages: {
    keep: message(any, (state, value) => { state.any = value }),
    merge: message(any, (state, value) => { Object.assign(state.players, value) }),
    mark: message(any, (state, { row, column, mark }) => { state.grid[row][column] = mark }),
    score: message(any, (state, { name, field, points }) => { state.players[name][field] = points }),
    leak: message(any, state => { throw new Error('no luck') }),
  },
  observe: { allow: () => true },
  reducers: {
    cheer: reducer({
      message: z.any(),
      into: countBy({ top: 256 }),
      apply: (state, counts) => {
        for (const [kind, count] of counts) state.cheers[kind] = (state.cheers[kind] ?? 0) + count
      },
    }),
    clap: reducer({ message: z.any(), into: count(), apply: (state, claps) => { state.claps += claps } }),
  },
})
`
