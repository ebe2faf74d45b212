/*
 * Looks at the machine before a node starts on it: what is too old, too small, taken or slow, and what
 * to do about it.
 */
import { constants } from 'node:fs'
import { access, mkdir, open, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { certificateDaysMin, daysUntil } from './certificate-watch.ts'
import type { Config } from './config.ts'
import { descriptorLimitOf, readProcessLimits } from './descriptor-limit.ts'
import { targetOf } from './dial-member.ts'
import { connectionsMaxOf } from './edge-worker-config.ts'
import { findRedis } from './redis-check.ts'
import { certificateEndMs, isCertificateFor, servedCertificateOf } from './served-certificate.ts'

/** Least version of Node, as in package.json. */
const nodeVersionMin: readonly [number, number] = [20, 12]
/** File descriptors beside those of viewers: logs, links, the process's own. */
const descriptorsBeside = 1_024
const syncCount = 8
const syncMsMax = 20
/** 2025-01-01: a clock before it was never set. */
const clockMin = 1_735_689_600_000

/** One thing that was looked at. */
export type DoctorRow = {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  /** What to do; empty when all is well. */
  readonly advice: string
}

/** What to look at. */
export type DoctorOptions = {
  readonly config: Config
  /** As `process.version` says it. */
  readonly nodeVersion: string
  /** The wall's time, ms since 1970. */
  readonly wallClock: () => number
}

/** Looks at everything, at the same time. */
export async function runDoctor(options: DoctorOptions): Promise<readonly DoctorRow[]> {
  const { config, nodeVersion, wallClock } = options
  return await Promise.all([
    checkNodeVersion(nodeVersion),
    readProcessLimits().then(limits => checkDescriptors(limits, connectionsMaxOf(config))),
    checkPort('port', config.host, config.port),
    checkPort('admin port', config.adminHost, config.adminPort),
    config.log === 'files' ? checkData(config.data) : checkRedis(config, config.log),
    ...(config.redis.url === undefined ? [] : [checkMeeting(config, config.redis.url)]),
    checkClock(wallClock()),
    ...checkCertificates(config, wallClock()),
  ])
}

/** A good row when `ok`, else one with advice. */
const row = (check: string, ok: boolean, detail: string, advice: string): DoctorRow => ({
  check,
  ok,
  detail,
  advice: ok ? '' : advice,
})

/** Whether `version`, such as `v20.12.0`, is new enough. */
export function checkNodeVersion(version: string): DoctorRow {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  const [majorMin, minorMin] = nodeVersionMin
  const ok = major > majorMin || (major === majorMin && minor >= minorMin)
  return row('node version', ok, version, `install Node ${majorMin}.${minorMin} or later`)
}

/** Whether so many viewers can be connected, by the text of `/proc/self/limits`. */
export function checkDescriptors(limits: string | undefined, viewersMax: number): DoctorRow {
  const allowed = descriptorLimitOf(limits)
  if (allowed === undefined) return row('file descriptors', true, 'not known on this system', '')
  const needed = viewersMax + descriptorsBeside
  const advice = `raise it with \`ulimit -n ${needed}\` (LimitNOFILE= in systemd), or lower limits.viewersMax`
  const shown = Number.isFinite(allowed) ? allowed : 'unlimited'
  const detail = `${shown} allowed, ${needed} wanted`
  return row('file descriptors', allowed >= needed, detail, advice)
}

/** Whether the clock was ever set. */
export function checkClock(nowMs: number): DoctorRow {
  const detail = new Date(nowMs).toISOString()
  return row('clock', nowMs >= clockMin, detail, 'set the clock of this machine, by NTP best')
}

/** Whether what the public port shows is good for a while, and for the name by which the node is reached. */
export function checkCertificates(config: Config, nowMs: number): readonly DoctorRow[] {
  const served = servedCertificateOf(config)
  if (served === undefined) return []
  const { certificate } = served
  const endsAtMs = certificateEndMs(certificate)
  const daysLeft = daysUntil(endsAtMs, nowMs)
  const ends = row(
    'certificate',
    daysLeft >= certificateDaysMin,
    `ends at ${new Date(endsAtMs).toISOString()}, in ${daysLeft} days`,
    'renew it, write it to the same file, and send SIGHUP to the node',
  )
  const host = announcedHost(config)
  if (host === undefined) return [ends]
  const isFor = isCertificateFor(certificate, host)
  const detail = isFor ? `is for ${host}` : `is not for ${host}, by which others reach the node`
  const advice = 'get one for that name, or say by --advertise a name that it is for'
  return [ends, row('certificate names', isFor, detail, advice)]
}

/** By what other nodes reach this one, where it says so to them. */
function announcedHost({ advertise, redis, host }: Config): string | undefined {
  if (advertise !== undefined) return targetOf(advertise).host
  return redis.url === undefined ? undefined : host
}

/** Whether a server can listen there; `name` is `port` or `admin port`. */
export async function checkPort(name: string, host: string, port: number): Promise<DoctorRow> {
  if (port === 0) return row(name, true, 'any free one', '')
  const failure = await new Promise<string | undefined>(resolve => {
    const server = createServer()
    server.once('error', error => resolve('code' in error ? String(error.code) : error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
  const detail = failure === undefined ? `${host}:${port} is free` : `${host}:${port}: ${failure}`
  const option = name === 'port' ? '--port' : '--admin-port'
  return row(
    name,
    failure === undefined,
    detail,
    `end what listens there, or give another ${option}`,
  )
}

/** Whether the Redis is there, and fit for logs. */
async function checkRedis(config: Config, address: string): Promise<DoctorRow> {
  const found = await findRedis(config, address)
  if ('problem' in found) return row('redis', false, found.problem, found.advice)
  const { findings, shown } = found
  const { version, hasAppendOnlyFile } = findings
  const detail = `${shown}: Redis ${version}${hasAppendOnlyFile ? '' : ', without an append-only file'}`
  const advice = 'set appendonly yes: what it has acknowledged may be gone after its restart'
  return row('redis', hasAppendOnlyFile, detail, advice)
}

/** Whether the Redis where members meet is there, and fit for that. */
async function checkMeeting(config: Config, address: string): Promise<DoctorRow> {
  const found = await findRedis(config, address)
  if ('problem' in found) return row('members meet', false, found.problem, found.advice)
  return row('members meet', true, `${found.shown}: Redis ${found.findings.version}`, '')
}

/** Whether the directory can be written to, and how long a sync takes there: each write waits for one. */
export async function checkData(directory: string): Promise<DoctorRow> {
  const path = join(directory, `.doctor-${process.pid}`)
  const advice = `make ${directory} writable for this user, or give another --data`
  try {
    await mkdir(directory, { recursive: true })
    await access(directory, constants.W_OK)
    const times = await timeSyncs(path)
    const median = times[Math.floor(times.length / 2)] ?? 0
    const detail = `${directory}: a sync takes ${median.toFixed(2)} ms`
    const slow = `each write waits for a sync: use a faster disk than ${syncMsMax} ms a sync`
    return row('data directory', median <= syncMsMax, detail, slow)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return row('data directory', false, detail, advice)
  } finally {
    await rm(path, { force: true }).catch(() => {})
  }
}

async function timeSyncs(path: string): Promise<readonly number[]> {
  const file = await open(path, 'w')
  try {
    const times: number[] = []
    for (let count = 0; count < syncCount; count++) {
      await file.write(new Uint8Array(512))
      const start = performance.now()
      await file.datasync()
      times.push(performance.now() - start)
    }
    return times.sort((a, b) => a - b)
  } finally {
    await file.close()
  }
}
