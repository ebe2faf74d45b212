import t from 'tap'
import { asEndpoint, asMoveTarget, parseEndpoints } from '../src/endpoint.ts'

t.test('takes ws, wss, http and https, with a prefix, and cuts the path of the protocol', t => {
  for (const [text, endpoint] of [
    ['wss://edge.example', 'wss://edge.example'],
    ['wss://edge.example/', 'wss://edge.example'],
    ['https://edge.example/edge/2', 'wss://edge.example/edge/2'],
    ['http://localhost:9600/edge/2/', 'ws://localhost:9600/edge/2'],
    ['ws://[::1]:9600/v1/observe', 'ws://[::1]:9600'],
    ['wss://edge.example/edge/2/v1/write', 'wss://edge.example/edge/2'],
  ]) {
    t.equal(asEndpoint(String(text)), endpoint)
  }
  t.end()
})

t.test('refuses other schemes, and whatever may carry a secret in a URL', t => {
  for (const text of [
    '',
    'edge.example',
    'ftp://edge.example',
    'wss://edge.example?token=x',
    'wss://edge.example#x',
    'wss://me:secret@edge.example',
  ]) {
    t.equal(asEndpoint(text), undefined, text)
    t.throws(() => parseEndpoints(text), { code: 'FANFOLD_BAD_OPTION' })
  }
  t.throws(() => parseEndpoints([]), { code: 'FANFOLD_BAD_OPTION' })
  t.same(parseEndpoints(['wss://a', 'wss://b']), ['wss://a', 'wss://b'])
  t.end()
})

t.test('no move leads from an encrypted connection to a plain one', t => {
  const secure = parseEndpoints('wss://a')
  const plain = parseEndpoints('ws://a')
  t.equal(asMoveTarget('wss://b', secure), 'wss://b')
  t.equal(asMoveTarget('ws://b', secure), undefined)
  t.equal(asMoveTarget('ws://b', plain), 'ws://b')
  t.equal(asMoveTarget('ws://b', [...plain, ...secure]), undefined)
  t.equal(asMoveTarget('nowhere', plain), undefined)
  t.end()
})
