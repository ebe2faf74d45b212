import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestAuthority } from '@fanfold/conformance'
import t from 'tap'
import { createConfig, loadConfig } from '../src/config.ts'
import type { ConfigName } from '../src/config-table.ts'
import {
  certificateEndMs,
  isCertificateFor,
  servedCertificateOf,
} from '../src/served-certificate.ts'
import { load, problemsOf, secret } from './load-config.ts'

const hourMs = 3_600_000
const authority = new TestAuthority('authority of tests')
const hosts = ['edge.example.com', '127.0.0.1']
const good = authority.issue({ hosts })

/** What is wrong with these values. */
const problemsWith = async (
  t: { testdir(): string },
  values: Readonly<Partial<Record<ConfigName, unknown>>>,
) => await problemsOf(load(t, { program: values }))

const both = ({ certificate, privateKey }: typeof good) => ({
  'tls.certificate': certificate,
  'tls.privateKey': privateKey,
})

await t.test('a certificate and its key are what the public port shows', async t => {
  const directory = t.testdir()
  t.same(servedCertificateOf(createConfig({ ...both(good) }, directory)), {
    certificate: good.certificate.trim(),
    privateKey: good.privateKey.trim(),
  })
  t.equal(servedCertificateOf(createConfig({}, directory)), undefined)
  const between = new TestAuthority('between', authority).issue({ hosts })
  const authorities = authority.certificate + new TestAuthority('another').certificate
  t.same(await problemsWith(t, { ...both(between), 'tls.authorities': authorities }), [])
})

await t.test('they are given by files, in each way that a secret is', async t => {
  const directory = t.testdir({
    'chain.pem': good.certificate,
    'key.pem': good.privateKey,
    'authorities.pem': authority.certificate,
    'fanfold.yaml': 'tls: { certificateFile: chain.pem, privateKeyFile: key.pem }',
  })
  const paths = ['chain.pem', 'key.pem', 'authorities.pem'].map(name => join(directory, name))
  const [certificate = '', privateKey = '', authorities = ''] = paths
  const flags = {
    'tls-certificate-file': certificate,
    'tls-private-key-file': privateKey,
    'tls-authorities-file': authorities,
  }
  const environment = {
    FANFOLD_TLS__CERTIFICATE_FILE: certificate,
    FANFOLD_TLS__PRIVATE_KEY_FILE: privateKey,
  }
  const expected = both({
    certificate: good.certificate.trim(),
    privateKey: good.privateKey.trim(),
  })
  for (const options of [{ flags }, { environment }, {}]) {
    const { config } = await loadConfig({ ...options, directory })
    t.same(both(servedCertificateOf(config) ?? good), expected)
  }
})

await t.test('what is wrong with them is said, with what to do, and never a key', async t => {
  const now = Date.now()
  const other = authority.issue({ hosts })
  const ended = authority.issue({ hosts, fromMs: now - 2 * hourMs, endsAtMs: now - hourMs })
  const early = authority.issue({ hosts, fromMs: now + hourMs })
  const locked = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  })
  const broken = good.certificate.replace('\nMII', '\nAAA')
  const cases: [string, Readonly<Partial<Record<ConfigName, unknown>>>, ConfigName, RegExp][] = [
    ['no key', { 'tls.certificate': good.certificate }, 'tls.certificate', /belong together/],
    ['no certificate', { 'tls.privateKey': good.privateKey }, 'tls.certificate', /belong together/],
    [
      'no PEM',
      { ...both(good), 'tls.certificate': secret },
      'tls.certificate',
      /holds no certificate: give PEM/,
    ],
    [
      'a key for both',
      { ...both(good), 'tls.certificate': good.privateKey },
      'tls.certificate',
      /holds no certificate/,
    ],
    [
      'a broken one',
      { ...both(good), 'tls.certificate': broken },
      'tls.certificate',
      /certificate 1 of 1 cannot be read/,
    ],
    [
      'one broken above it',
      { ...both(good), 'tls.certificate': good.certificate + broken },
      'tls.certificate',
      /certificate 2 of 2 cannot be read/,
    ],
    [
      'another key',
      { ...both(good), 'tls.privateKey': other.privateKey },
      'tls.privateKey',
      /not the key of the first certificate/,
    ],
    [
      'a chain that begins with its authority',
      { ...both(good), 'tls.certificate': authority.certificate + good.certificate },
      'tls.privateKey',
      /must be the node’s own/,
    ],
    [
      'no key at all',
      { ...both(good), 'tls.privateKey': secret },
      'tls.privateKey',
      /no private key in PEM/,
    ],
    [
      'a key behind a passphrase',
      { ...both(good), 'tls.privateKey': locked },
      'tls.privateKey',
      /passphrase: give it without/,
    ],
    ['one that has ended', both(ended), 'tls.certificate', /ended at 20\S+Z: renew it/],
    [
      'one that has not begun',
      both(early),
      'tls.certificate',
      /begins at .* clock of this machine/,
    ],
    [
      'authorities that are none',
      { 'tls.authorities': secret },
      'tls.authorities',
      /holds no certificate/,
    ],
    [
      'a plain address',
      { ...both(good), advertise: 'ws://edge.example.com:9600' },
      'advertise',
      /speaks TLS: say wss:\/\//,
    ],
  ]
  for (const [name, values, place, message] of cases) {
    const problems = await problemsWith(t, values)
    t.match(problems, [{ place, message }], name)
    t.equal(problems.length, 1, name)
    const said = JSON.stringify(problems)
    for (const line of `${good.privateKey}\n${other.privateKey}\n${locked}\n${secret}`.split(
      '\n',
    )) {
      if (line.length > 20 && !line.startsWith('---')) t.notOk(said.includes(line), name)
    }
  }
})

await t.test('a key that is too weak to be served is found before anybody connects', async t => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 512 })
  const problems = await problemsWith(t, both(authority.issue({ hosts, keys })))
  const message = /cannot be served: ERR_SSL_EE_KEY_TOO_SMALL; give one with a key of 2,048 bits/
  t.match(problems, [{ place: 'tls.certificate', message }])
})

await t.test('a chain of 64 KiB is taken, and no longer one', async t => {
  const text = ' some words between certificates\n'
  const fill = (length: number): string =>
    good.certificate + text.repeat(length / text.length).slice(0, length - good.certificate.length)
  const directory = t.testdir()
  const path = join(directory, 'chain.pem')
  const flags = { 'tls-certificate-file': path, 'tls-private-key-file': join(directory, 'key.pem') }
  writeFileSync(join(directory, 'key.pem'), good.privateKey)
  writeFileSync(path, `${fill(65_535)}x`)
  t.same(await problemsOf(loadConfig({ flags, directory })), [])
  writeFileSync(path, `${fill(65_536)}x`)
  t.match(await problemsOf(loadConfig({ flags, directory })), [
    { place: '--tls-certificate-file', message: /32 to 65536 characters, has 65537/ },
  ])
})

await t.test('when a certificate ends, and for whom it is', async t => {
  const endsAtMs = Date.UTC(2031, 1, 3, 4, 5, 6)
  const { certificate } = authority.issue({ hosts, endsAtMs })
  t.equal(certificateEndMs(certificate), endsAtMs)
  t.equal(certificateEndMs(certificate + authority.certificate), endsAtMs, 'its own, of a chain')
  t.ok(isCertificateFor(certificate, 'edge.example.com'))
  t.ok(isCertificateFor(certificate, '127.0.0.1'))
  t.notOk(isCertificateFor(certificate, '127.0.0.2'))
  t.notOk(isCertificateFor(certificate, 'example.com'))
  t.ok(isCertificateFor(authority.issue({ hosts: ['*.example.com'] }).certificate, 'a.example.com'))
})
