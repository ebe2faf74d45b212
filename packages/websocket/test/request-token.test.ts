import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import t from 'tap'
import { hasTokenInUrl, offeredSubprotocols, tokenOf } from '../src/request-token.ts'

function request(headers: Record<string, string>): IncomingMessage {
  const message = new IncomingMessage(new Socket())
  Object.assign(message.headers, headers)
  return message
}

t.test('the token is behind bearer. in the list, or in the Authorization header', t => {
  t.equal(tokenOf(request({ 'sec-websocket-protocol': 'fanfold.v1, bearer.a.b-c_d' })), 'a.b-c_d')
  t.equal(tokenOf(request({ authorization: 'bearer  a.b' })), 'a.b')
  t.equal(tokenOf(request({ authorization: 'Basic a.b' })), undefined)
  t.equal(tokenOf(request({})), undefined)
  t.end()
})

t.test('subprotocols come in order, without spaces', t => {
  t.same(offeredSubprotocols(request({ 'sec-websocket-protocol': 'a,b , c' })), ['a', 'b', 'c'])
  t.same(offeredSubprotocols(request({})), [])
  t.end()
})

t.test('a token in the query is seen however it is written', t => {
  for (const query of ['?token', '?a=1&TOKEN=x', '?access_token=x', '?%74oken=x', '?jwt=x']) {
    t.ok(hasTokenInUrl(`/v1/observe${query}`), query)
  }
  t.notOk(hasTokenInUrl('/v1/observe?tokens=1'))
  t.notOk(hasTokenInUrl('/v1/token'))
  t.end()
})
