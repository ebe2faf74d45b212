/*
 * X.509 certificates for tests of TLS. Node reads certificates and makes none, so one is written here byte
 * by byte (RFC 5280, in DER), for any names and dates: what has ended already, or was signed by a stranger,
 * is made in the moment that it is needed, and no key lies about.
 */
import {
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  randomBytes,
  sign,
} from 'node:crypto'
import { isIPv4 } from 'node:net'

/** A chain, the certificate of its holder first, and the holder's key; both PEM. */
export type IssuedCertificate = { readonly certificate: string; readonly privateKey: string }

/** What a certificate is to say. */
export type IssueOptions = {
  /** Names and IPv4 addresses that it is for. */
  readonly hosts: readonly string[]
  /** From when it is good, ms since 1970; since an hour ago when not said. */
  readonly fromMs?: number | undefined
  /** Until when it is good, ms since 1970; for a day when not said. */
  readonly endsAtMs?: number | undefined
  /** Its holder's keys; new ones of P-256 when not said. */
  readonly keys?: KeyPairKeyObjectResult | undefined
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Signs certificates. */
export class TestAuthority {
  /** Its own, which whoever believes it is given; PEM. */
  readonly certificate: string
  readonly #name: string
  readonly #key: KeyObject
  /** Its own and those above it, but for the first of all. */
  readonly #chain: string

  /** @param issuer who signs its own certificate; it does that itself when not said */
  constructor(name: string, issuer?: TestAuthority) {
    const { privateKey, publicKey } = newKeys()
    this.#name = name
    this.#key = privateKey
    const from = issuer ?? this
    this.certificate = from.#sign({
      name,
      publicKey,
      fromMs: Date.now() - dayMs,
      endsAtMs: Date.now() + 365 * dayMs,
      extensions: authorityExtensions,
    })
    this.#chain = issuer === undefined ? '' : `${this.certificate}${issuer.#chain}`
  }

  /** A certificate with a new key. */
  issue(options: IssueOptions): IssuedCertificate {
    const { hosts, fromMs = Date.now() - hourMs, endsAtMs = Date.now() + dayMs } = options
    const { privateKey, publicKey } = options.keys ?? newKeys()
    const [name = ''] = hosts
    const extensions = [namesExtension(hosts)]
    const certificate = this.#sign({ name, publicKey, fromMs, endsAtMs, extensions })
    return { certificate: `${certificate}${this.#chain}`, privateKey: pemOf(privateKey) }
  }

  #sign(subject: {
    readonly name: string
    readonly publicKey: KeyObject
    readonly fromMs: number
    readonly endsAtMs: number
    readonly extensions: readonly Buffer[]
  }): string {
    const { name, publicKey, fromMs, endsAtMs, extensions } = subject
    const algorithm = sequence(oid(oids.ecdsaWithSha256))
    const said = sequence(
      tagged(0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      algorithm,
      nameOf(this.#name),
      sequence(time(fromMs), time(endsAtMs)),
      nameOf(name),
      publicKey.export({ type: 'spki', format: 'der' }),
      tagged(3, sequence(...extensions)),
    )
    const signature = bits(sign('sha256', said, this.#key))
    return pem(sequence(said, algorithm, signature))
  }
}

const newKeys = (): KeyPairKeyObjectResult => generateKeyPairSync('ec', { namedCurve: 'P-256' })

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

const pem = (bytes: Buffer): string => {
  const lines = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

const tags = {
  true: 0x01,
  integer: 0x02,
  bits: 0x03,
  bytes: 0x04,
  oid: 0x06,
  text: 0x0c,
  time: 0x17,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  ipAddress: 0x87,
  tagged: 0xa0,
} as const

/** Their bytes as they stand in a certificate. */
const oids = {
  commonName: '550403',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  ecdsaWithSha256: '2a8648ce3d040302',
} as const

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(tags.sequence, ...parts)
const tagged = (number: number, part: Uint8Array): Buffer => der(tags.tagged + number, part)
const integer = (bytes: Uint8Array): Buffer => der(tags.integer, bytes)
const oid = (hex: string): Buffer => der(tags.oid, Buffer.from(hex, 'hex'))
const bits = (bytes: Uint8Array): Buffer => der(tags.bits, Buffer.from([0]), bytes)
const yes = der(tags.true, Buffer.from([0xff]))

const nameOf = (name: string): Buffer =>
  sequence(der(tags.set, sequence(oid(oids.commonName), der(tags.text, Buffer.from(name)))))

/** `261122214500Z`: good until 2049, after which certificates write their dates otherwise. */
const time = (ms: number): Buffer =>
  der(
    tags.time,
    Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`, 'latin1'),
  )

/** An extension that whoever does not know it must refuse the certificate for, when it is critical. */
const extension = (name: string, isCritical: boolean, content: Uint8Array): Buffer =>
  sequence(oid(name), ...(isCritical ? [yes] : []), der(tags.bytes, content))

/** What makes a certificate an authority's: it may sign others, and is for nothing else. */
const authorityExtensions: readonly Buffer[] = [
  extension(oids.basicConstraints, true, sequence(yes)),
  extension(oids.keyUsage, true, der(tags.bits, Buffer.from([2, 0x04]))),
]

const namesExtension = (hosts: readonly string[]): Buffer =>
  extension(
    oids.subjectAltName,
    false,
    sequence(
      ...hosts.map(host =>
        isIPv4(host)
          ? der(tags.ipAddress, Buffer.from(host.split('.').map(Number)))
          : der(tags.dnsName, Buffer.from(host, 'latin1')),
      ),
    ),
  )
