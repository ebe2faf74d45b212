import t from 'tap'
import { createLog, type Log, type LogOptions } from '../src/logging.ts'

function capture(level: LogOptions['level'] = 'info'): { log: Log; lines: () => unknown[] } {
  const written: string[] = []
  const destination = { write: (line: string) => void written.push(line) }
  const log = createLog({ level, node: 'n1', region: 'eu', destination })
  return { log, lines: () => written.map(line => JSON.parse(line)) }
}

t.test('a line has its event, its fields, the node, and a constant message', async t => {
  const { log, lines } = capture()
  log.info({ event: 'link.opened', ceiling: 3 }, 'link opened')
  t.match(lines(), [
    {
      level: 'info',
      event: 'link.opened',
      ceiling: 3,
      msg: 'link opened',
      node: 'n1',
      region: 'eu',
    },
  ])
})

t.test('lines below the level are not written', async t => {
  const { log, lines } = capture('warn')
  log.info({ event: 'a' }, 'a')
  log.warn({ event: 'b' }, 'b')
  t.match(lines(), [{ event: 'b' }])
  t.equal(lines().length, 1)
  t.notOk(log.isLevelEnabled('debug'))
})

t.test('tokens and keys are redacted where they may stand', async t => {
  const { log, lines } = capture()
  const token = 'hunter2'
  log.info(
    { event: 'a', token, request: { headers: { authorization: token, cookie: token } } },
    'a',
  )
  log.child({ config: { tokenKey: token, privateKey: token } }).info({ event: 'b' }, 'b')
  t.notMatch(JSON.stringify(lines()), /hunter2/)
  t.match(lines(), [{ token: '(redacted)' }, { config: { tokenKey: '(redacted)' } }])
})

t.test('an error is its code, message and stack, without a token that it quotes', async t => {
  const { log, lines } = capture()
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl'
  const error = Object.assign(new Error(`bad ${token}`), {
    code: 'FANFOLD_X',
    state: { secret: 1 },
  })
  log.error({ event: 'a', error }, 'a')
  t.match(lines(), [{ error: { type: 'Error', code: 'FANFOLD_X', message: 'bad (redacted)' } }])
  t.notMatch(JSON.stringify(lines()), /eyJ|secret/)
})
