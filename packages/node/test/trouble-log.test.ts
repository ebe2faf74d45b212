import t from 'tap'
import type { Log, LogFields } from '../src/logging.ts'
import { TroubleLog } from '../src/trouble-log.ts'
import { silent } from './start-rig.ts'

const words = {
  event: 'log.full',
  message: 'no room for the log',
  overEvent: 'log.full-over',
  overMessage: 'room for the log again',
}

t.test('many refusals are one line, with what was said of the first', async t => {
  const lines: LogFields[] = []
  const log: Log = { ...silent, error: fields => lines.push(fields) }
  const trouble = new TroubleLog({ log, words, fail: error => t.fail('fails', { error }) })
  trouble.wentWell()
  for (let count = 0; count < 100; count++) trouble.met({ reason: `ENOSPC ${count}` })
  trouble.wentWell()
  trouble.close()
  t.same(lines, [{ event: 'log.full', reason: 'ENOSPC 0' }])
})
