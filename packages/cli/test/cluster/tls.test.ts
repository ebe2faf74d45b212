/* Nodes that speak TLS with each other and with viewers, and a certificate that is renewed under them. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { type IssuedCertificate, TestAuthority } from '@fanfold/conformance'
import { RedisServer, until } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { runFanfold } from './fanfold-command.ts'
import { RawViewer } from './raw-viewer.ts'
import { untilReady } from './tree.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)
const doc = 'a/timing/over-tls'
const merge = (delta: number) => ({ message: 'merge', value: { topic: 'n', delta } })

const cluster = await Cluster.open(t)
const { token } = cluster
const authority = new TestAuthority('authority of tests')
const pathOf = (name: string): string => join(cluster.directory, name)
const paths = {
  certificate: pathOf('chain.pem'),
  privateKey: pathOf('key.pem'),
  authorities: pathOf('authorities.pem'),
}

/** Writes the files that both nodes read; what is in them. */
function renew(): IssuedCertificate {
  const issued = authority.issue({ hosts: ['127.0.0.1'] })
  writeFileSync(paths.certificate, issued.certificate)
  writeFileSync(paths.privateKey, issued.privateKey)
  return issued
}

renew()
writeFileSync(paths.authorities, authority.certificate)
const certificate = {
  FANFOLD_TLS__CERTIFICATE_FILE: paths.certificate,
  FANFOLD_TLS__PRIVATE_KEY_FILE: paths.privateKey,
}
const trust = { FANFOLD_TLS__AUTHORITIES_FILE: paths.authorities }
const top = await cluster.start({
  name: 'authority',
  roles: ['authority'],
  environment: certificate,
})
const edge = await cluster.start({
  name: 'edge',
  roles: ['edge'],
  parents: [top],
  environment: { ...certificate, ...trust },
})
await untilReady(edge)
const nodes = [top, edge]
const believed = { token, authority: authority.certificate }

/** The certificate that a node shows to who connects now. */
async function shownBy({ port }: ClusterNode): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.certificate })
  await once(socket, 'secureConnect')
  const { raw } = socket.getPeerCertificate()
  socket.destroy()
  return raw.toString('base64')
}

const bodyOf = ({ certificate: pem }: IssuedCertificate): string =>
  pem.replace(/-----[^-]+-----|\s/g, '')

await t.test('links, viewers, writers and commands come over TLS', async t => {
  t.match([top.url, edge.url], [/^wss:/, /^wss:/])
  const writer = await Writer.open({ url: top.url, ...believed })
  t.match(await writer.send(doc, merge(1)), { type: 'committed' })
  const viewer = await RawViewer.open({ url: edge.url, doc, ...believed })
  await viewer.untilSeq(3)
  const { seq = 0 } = await writer.send(doc, merge(2))
  await viewer.untilSeq(seq)
  t.same(viewer.problems, [])
  viewer.close()
  writer.close()
  const command = ['get', doc, '--url', edge.url, '--as', token]
  const trusting = await runFanfold(command, { NODE_EXTRA_CA_CERTS: paths.authorities })
  t.equal(trusting.code, 0, trusting.errors)
  t.not((await runFanfold(command, {})).code, 0, 'who does not believe it gets nothing')
})

await t.test('a certificate is renewed, and nobody is cut off', async t => {
  const writer = await Writer.open({ url: top.url, ...believed })
  const viewer = await RawViewer.open({ url: edge.url, doc, ...believed })
  const next = renew()
  for (const node of nodes) {
    t.not(await shownBy(node), bodyOf(next))
    node.signal('SIGHUP')
    await node.untilLogged('tls.certificate-taken')
    t.equal(await shownBy(node), bodyOf(next))
  }
  const { seq = 0 } = await writer.send(doc, merge(3))
  await viewer.untilSeq(seq)
  t.equal(viewer.closeCode, undefined)
  t.same(viewer.problems, [])
  t.notOk(
    edge.log.some(({ event }) => event === 'link.parent-lost'),
    'the link stays too',
  )
  const late = await RawViewer.open({ url: edge.url, doc, ...believed })
  await late.untilSeq(seq)

  writeFileSync(paths.privateKey, authority.issue({ hosts: ['127.0.0.1'] }).privateKey)
  edge.signal('SIGHUP')
  await edge.untilLogged('config.refused')
  t.match(
    edge.log.filter(({ event }) => event === 'config.refused'),
    [{ problems: [{ place: 'tls.privateKey' }] }],
  )
  t.equal(await shownBy(edge), bodyOf(next), 'one that is wrong is not taken')
  for (const one of [viewer, late]) one.close()
  writer.close()
})

await t.test('a node says why it has no link to one that it does not believe', async t => {
  const stranger = await cluster.start({ name: 'stranger', roles: ['edge'], parents: [top] })
  await stranger.untilLogged('link.parent-lost')
  const line = stranger.log.find(({ event }) => event === 'link.parent-lost')
  t.match(line, { parent: top.url, reason: /^untrusted: UNABLE_TO_\w+: / })
  const text = await (await fetch(`${stranger.adminUrl}/metrics`)).text()
  t.match(text, /fanfold_link_closes_total\{reason="untrusted"/)
  t.notMatch(text, /fanfold_tls_certificate_seconds\{/)
  const ofEdge = await (await fetch(`${edge.adminUrl}/metrics`)).text()
  const seconds = /fanfold_tls_certificate_seconds\{port="public",region="local"\} ([\d.]+)/
  const [, left = 0] = seconds.exec(ofEdge) ?? []
  t.ok(Number(left) > 80_000 && Number(left) <= 86_400, `${left} s`)
  t.same(await stranger.stop(), { code: 0, signal: null })
})

await t.test('nodes that speak TLS end in good order', async t => {
  for (const node of nodes.toReversed()) t.same(await node.stop(), { code: 0, signal: null })
})

await t.test('nodes of a fleet announce that they speak TLS, and find each other so', async t => {
  const { address } = await RedisServer.start(t, { isDurable: true })
  const options = { 'redis.url': address }
  const environment = { ...certificate, ...trust }
  renew()
  const owner = await cluster.start({
    name: 'authority-1',
    roles: ['authority'],
    options: { ...options, log: address },
    environment,
  })
  const low = await cluster.start({ name: 'edge-1', roles: ['edge'], options, environment })
  type Topology = { readonly fleet: { readonly members: readonly { readonly address: string }[] } }
  const members = async (): Promise<readonly string[]> => {
    const answer = await fetch(`${low.adminUrl}/admin/topology`)
    const { fleet } = (await answer.json()) as Topology
    return fleet.members.map(member => member.address)
  }
  await until('they know each other', async () => (await members()).length === 2)
  t.same((await members()).toSorted(), [owner.url, low.url].toSorted())
  const writer = await Writer.open({ url: owner.url, ...believed })
  const { seq = 0 } = await writer.send(doc, merge(1))
  const viewer = await RawViewer.open({ url: low.url, doc, ...believed })
  await viewer.untilSeq(seq)
  t.match(
    low.log.filter(({ event }) => event === 'link.parent-connected'),
    [{ peer: 'authority-1' }],
  )
  const asked = request(`${low.httpUrl}/v1/documents/${doc}`, {
    method: 'POST',
    ca: authority.certificate,
    headers: { authorization: `Bearer ${token}` },
  })
  asked.end()
  const [answer] = await once(asked, 'response')
  answer.resume()
  t.match(answer, {
    statusCode: 307,
    headers: { location: `${owner.httpUrl}/v1/documents/${doc}` },
  })
  viewer.close()
  writer.close()
  for (const node of [low, owner]) t.same(await node.stop(), { code: 0, signal: null })
})
