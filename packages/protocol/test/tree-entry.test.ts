import t from 'tap'
import { ByteReader } from '../src/byte-reader.ts'
import { ByteWriter } from '../src/byte-writer.ts'
import { limits } from '../src/limits.ts'
import { readTree, type TreeEntry, type TreeStanding, writeTree } from '../src/tree-entry.ts'

const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }

const standing: TreeStanding = {
  epoch: 1,
  seq: 7,
  viewers: 3,
  children: 2,
  notAsked: 0,
  isLive: true,
  recentRecords: 10,
  recentBytes: 1_000,
}
const entry = (overrides: Partial<TreeEntry> = {}): TreeEntry => ({
  above: undefined,
  role: 'proxy',
  node: '',
  region: '',
  standing,
  ...overrides,
})
const below = (overrides: Partial<TreeEntry> = {}): TreeEntry =>
  entry({ above: 0, role: 'edge', node: 'edge-1', region: 'eu', ...overrides })

const bytesOf = (entries: readonly TreeEntry[]): Uint8Array =>
  writeTree(new ByteWriter(), entries).finish()
const read = (bytes: Uint8Array): TreeEntry[] => readTree(new ByteReader(bytes))

await t.test('a chain of any depth comes back as it was', async t => {
  const chain = Array.from({ length: limits.treeEntriesMax.value }, (_, at) =>
    at === 0 ? entry() : below({ above: at - 1 }),
  )
  t.same(read(bytesOf(chain)), chain)
})

await t.test('one entry more than may be is refused', async t => {
  const most = limits.treeEntriesMax.value
  const many = [entry(), ...Array.from({ length: most }, () => below())]
  t.throws(() => read(bytesOf(many)), badFrame)
})

await t.test('an entry that is below one behind it, or itself, is refused', async t => {
  t.throws(() => read(bytesOf([entry(), below({ above: 1 })])), badFrame)
  t.throws(() => read(bytesOf([entry(), below({ above: 2 }), below()])), badFrame)
  t.throws(() => read(bytesOf([entry(), below({ above: undefined })])), badFrame)
  t.throws(() => read(bytesOf([below()])), badFrame, 'the first one is below nobody')
})

await t.test('names that would do something on a terminal are refused', async t => {
  for (const name of ['\u001b[2J', 'a b', 'a\n', '-a', 'é', '/etc']) {
    t.throws(() => read(bytesOf([entry(), below({ node: name })])), badFrame, JSON.stringify(name))
    t.throws(() => read(bytesOf([entry(), below({ region: name })])), badFrame)
  }
})

await t.test('what a later version says at the end of an entry is ignored', async t => {
  const bytes = [...bytesOf([entry(), below()])]
  const length = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)
  const longer = length + 3
  const more = [
    ...bytes.slice(0, 2),
    longer >> 8,
    longer & 0xff,
    ...bytes.slice(4, 4 + length),
    ...[1, 2, 3],
    ...bytes.slice(4 + length),
  ]
  t.same(read(new Uint8Array(more)), [entry(), below()])
})

await t.test('a role that is not known is refused, a code that is not known is not', async t => {
  const bytes = bytesOf([entry()])
  bytes[6] = 4
  t.throws(() => read(bytes), badFrame)
  const problem = bytesOf([entry({ standing: { ...standing, problem: 'FANFOLD_MOVED' } })])
  problem[problem.length - 1] = 'X'.charCodeAt(0)
  t.match(read(problem), [{ standing: { problem: 'FANFOLD_OVERLOADED' } }])
})

await t.test('counts beyond what their fields take are told as the most that they do', async t => {
  const told = read(bytesOf([entry({ standing: { ...standing, staleMs: 2 ** 40 } })]))
  t.match(told, [{ standing: { staleMs: 2 ** 32 - 1 } }])
})
