import t from 'tap'
import { startVictim, tokenFor, until } from './hostile-rig.ts'
import { openWebSocket, type RawWebSocket } from './hostile-socket.ts'

const doc = 'acme/board/large'
const viewBytes = 900_000

/** Large frames come in fragments. */
const hasBegun = ({ raw }: RawWebSocket): boolean => raw.received().includes('"snapshot-begin"')

t.test(
  'large views that nobody reads hold what the configuration says, and a gauge tells',
  async t => {
    const victim = await startVictim(t, {
      'limits.largeStateBytes': '100KiB',
      'limits.largeViewsBytesMax': '1MiB',
    })
    const token = await tokenFor()
    const held = async (): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${victim.adminPort}/metrics`)
      return Number(/^fanfold_large_view_bytes\{.*\} (\d+)$/m.exec(await response.text())?.[1])
    }
    const heldNothing = async (): Promise<void> => {
      let bytes = await held()
      for (let time = 0; time < 500 && bytes > 0; time++) bytes = await held()
      t.equal(bytes, 0)
    }
    const writer = await openWebSocket(victim.port, '/v1/write', token)
    const value = Array.from({ length: 90 }, () => 'x'.repeat(viewBytes / 90))
    writer.send({ type: 'send', doc, message: 'keep', value })
    await until(() => writer.frames().length > 0, 'the commit')
    // A pace of its own makes each viewer a cohort of its own; none confirms what it gets.
    const observe = async (maxRate: number): Promise<RawWebSocket> => {
      const viewer = await openWebSocket(victim.port, '/v1/observe', token)
      viewer.send({ type: 'observe', doc, maxRate })
      return viewer
    }
    await heldNothing()
    const slow = await observe(1)
    await until(() => hasBegun(slow), 'the beginning of the view')
    const bytes = await held()
    t.ok(bytes > viewBytes && bytes < 1_048_576, `${bytes}`)
    const other = await observe(2)
    const refused = await other.frame(({ type }) => type === 'refused', 'a refusal')
    t.match(refused, { doc, code: 'FANFOLD_OVERLOADED', retryAfter: Number })
    slow.raw.socket.destroy()
    await heldNothing()
    other.send({ type: 'observe', doc, maxRate: 2 })
    await until(() => hasBegun(other), 'the view of the other')
    other.raw.socket.destroy()
    await heldNothing()
  },
)
