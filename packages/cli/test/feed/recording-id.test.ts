import { join } from 'node:path'
import t from 'tap'
import { recordingId } from '../../src/feed/recording-id.ts'

await t.test('the same bytes played in the same way have the same id', async t => {
  const directory = t.testdir({ a: 'one\n', b: 'one\n', c: 'two\n' })
  const id = await recordingId(join(directory, 'a'), ['merge', ''])
  t.match(id, /^[0-9a-f]{16}$/)
  t.equal(await recordingId(join(directory, 'b'), ['merge', '']), id)
  t.not(await recordingId(join(directory, 'c'), ['merge', '']), id)
  t.not(await recordingId(join(directory, 'a'), ['merge', 'again']), id)
})
