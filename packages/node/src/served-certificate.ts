/*
 * The certificate that a node shows on its public port: what of the configuration it is, and what can be
 * wrong with that. No problem quotes a key.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { Config } from './config.ts'
import type { ConfigProblem } from './config-error.ts'

/** A chain, the node's own certificate first, and its key; both PEM. */
export type ServedCertificate = { readonly certificate: string; readonly privateKey: string }

/** The oldest version of TLS that a node speaks, as a server and as a client. */
export const tlsVersionMin = 'TLSv1.2'

/** What a node with this configuration serves; undefined for one whose public port is plain. */
export function servedCertificateOf({ tls }: Config): ServedCertificate | undefined {
  const { certificate, privateKey } = tls
  return certificate === undefined || privateKey === undefined
    ? undefined
    : { certificate, privateKey }
}

/** When the first certificate of a chain ends, ms since 1970. */
export const certificateEndMs = (chain: string): number =>
  Date.parse(new X509Certificate(chain).validTo)

/** Whether a certificate is for this host: a name, or an address of version 4 or 6. */
export function isCertificateFor(chain: string, host: string): boolean {
  const own = new X509Certificate(chain)
  return (isIP(host) === 0 ? own.checkHost(host) : own.checkIP(host)) !== undefined
}

/** What is wrong with the options of `tls`, at this time of the wall. */
export function tlsProblems({ tls, advertise }: Config, nowMs: number): ConfigProblem[] {
  const { certificate, privateKey, authorities } = tls
  const problems: ConfigProblem[] = []
  if (authorities !== undefined) problems.push(...chainProblems('tls.authorities', authorities))
  if ((certificate === undefined) !== (privateKey === undefined)) {
    const message = 'tls.certificate and tls.privateKey belong together; one of them is missing'
    problems.push({ place: 'tls.certificate', message })
  }
  if (certificate === undefined || privateKey === undefined) return problems
  const ofChain = chainProblems('tls.certificate', certificate)
  const found = ofChain.length > 0 ? ofChain : pairProblems({ certificate, privateKey }, nowMs)
  if (advertise?.startsWith('ws:') === true) {
    const message = `is ${advertise}, and the port speaks TLS: say wss://`
    found.push({ place: 'advertise', message })
  }
  return [...problems, ...found]
}

/** PEM may have other things between its certificates. */
const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

function chainProblems(place: string, text: string): ConfigProblem[] {
  const certificates = text.match(certificatePattern) ?? []
  if (certificates.length === 0) {
    const message = 'holds no certificate: give PEM, which begins with -----BEGIN CERTIFICATE-----'
    return [{ place, message }]
  }
  return certificates.flatMap((certificate, index) => {
    if (isCertificate(certificate)) return []
    const message = `certificate ${index + 1} of ${certificates.length} cannot be read: export it as PEM once more`
    return [{ place, message }]
  })
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0
  } catch {
    return false
  }
}

function pairProblems(served: ServedCertificate, nowMs: number): ConfigProblem[] {
  const own = new X509Certificate(served.certificate)
  const problems: ConfigProblem[] = []
  const fromMs = Date.parse(own.validFrom)
  const endsAtMs = certificateEndMs(served.certificate)
  if (nowMs >= endsAtMs) {
    const message = `the certificate ended at ${dateOf(endsAtMs)}: renew it, and give the new one`
    problems.push({ place: 'tls.certificate', message })
  } else if (nowMs < fromMs) {
    const message = `the certificate begins at ${dateOf(fromMs)}, and here it is ${dateOf(nowMs)}: look at the clock of this machine`
    problems.push({ place: 'tls.certificate', message })
  }
  const place = 'tls.privateKey'
  const key = readPrivateKey(served.privateKey)
  if (key === undefined) {
    const message = 'is no private key in PEM, or one behind a passphrase: give it without one'
    return [...problems, { place, message }]
  }
  if (!own.checkPrivateKey(key)) {
    const message =
      'is not the key of the first certificate in tls.certificate: that one must be the node’s own'
    return [...problems, { place, message }]
  }
  const refusal = refusalOf(served)
  if (refusal !== undefined) {
    const message = `the certificate cannot be served: ${refusal}; give one with a key of 2,048 bits (RSA) or of P-256 (EC)`
    problems.push({ place: 'tls.certificate', message })
  }
  return problems
}

function readPrivateKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    // What the parser says may quote the key.
    return undefined
  }
}

/** Why OpenSSL does not take the pair, by its code; undefined when it does. */
function refusalOf({ certificate, privateKey }: ServedCertificate): string | undefined {
  try {
    createSecureContext({ cert: certificate, key: privateKey, minVersion: tlsVersionMin })
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'it is not taken'
  }
}

const dateOf = (ms: number): string => new Date(ms).toISOString()
