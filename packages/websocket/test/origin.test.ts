import t from 'tap'
import { isOriginAllowed } from '../src/origin.ts'

t.test(
  'an origin is allowed when there is none, when it is of the host, and when it is named',
  t => {
    const host = 'example.com:9600'
    t.ok(isOriginAllowed({ origin: undefined, host }, []))
    t.ok(isOriginAllowed({ origin: 'https://example.com:9600', host }, []))
    t.ok(isOriginAllowed({ origin: 'https://example.com:9600', host: 'EXAMPLE.com:9600' }, []))
    t.ok(isOriginAllowed({ origin: 'https://app.com', host }, ['https://app.com']))
    t.ok(isOriginAllowed({ origin: 'https://app.com', host }, ['*']))
    t.ok(isOriginAllowed({ origin: 'null', host }, ['null']))
    t.end()
  },
)

t.test('any other origin is not', t => {
  const host = 'example.com'
  for (const origin of ['null', '', 'https://example.com.evil.com', 'https://example.com.', 'x']) {
    t.notOk(isOriginAllowed({ origin, host }, ['https://app.com']), origin)
  }
  t.notOk(isOriginAllowed({ origin: 'https://example.com', host: undefined }, []))
  t.end()
})
