import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { generateFleetKey, generateNodeKey, mintLinkToken, mintToken } from '@fanfold/node'

const script = fileURLToPath(new URL('./node-process.mjs', import.meta.url))

/** Key of viewers' and writers' tokens in one run. */
export const tokenKey = 'a-key-for-benchmarks-only-0123456789abcdef'
const fleet = generateFleetKey()

/** A token that allows everything. */
export const token = await mintToken({
  key: tokenKey,
  subject: 'bench',
  documents: ['**'],
  allow: ['observe', 'write', 'create', 'delete'],
  ttlMs: 3_600_000,
})

/** Who a node is on links: the part of its configuration that says so. */
export async function linkIdentity(name, roles) {
  const key = generateNodeKey()
  return {
    'link.token': await mintLinkToken({
      fleetPrivateKey: fleet.privateKey,
      nodePublicKey: key.publicKey,
      node: name,
      region: 'local',
      roles,
      ceiling: 239,
      ttlMs: 3_600_000,
    }),
    'link.privateKey': key.privateKey,
    'link.fleetPublicKeys': [fleet.publicKey],
  }
}

/** Starts a node with these roles; answers with its ports and ways to measure and to stop it. */
export async function startNode(options) {
  const { name, roles, nodeArguments = [], environment = {}, ...values } = options
  const config = {
    'node.id': name,
    roles,
    port: 0,
    adminPort: 0,
    tokenKey,
    ...(await linkIdentity(name, roles)),
    ...values,
  }
  const child = spawn(process.execPath, [...nodeArguments, script, JSON.stringify(config)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${name} ended with ${child.exitCode}`)
    return JSON.parse(value)
  }
  const { port, adminPort } = await next()
  return {
    child,
    port,
    adminPort,
    url: `ws://127.0.0.1:${port}`,
    measure: (what = 'measure') => {
      child.stdin.write(`${what}\n`)
      return next()
    },
    kill: () =>
      new Promise(resolve => {
        child.once('exit', resolve)
        child.kill('SIGKILL')
      }),
    stop: () =>
      new Promise(resolve => {
        child.once('exit', resolve)
        child.kill('SIGTERM')
      }),
  }
}
