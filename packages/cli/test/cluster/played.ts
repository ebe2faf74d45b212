/* A recording that is played into a document, and the viewers that watch it from the edge. */
import { logRecords, until } from '@fanfold/nemesis'
import { partTags } from '@fanfold/protocol'
import type { Test } from 'tap'
import { runFanfold } from './fanfold-command.ts'
import { RawViewer } from './raw-viewer.ts'
import { canonicalHash, type Recording, withFiles } from './recording.ts'
import type { Tree } from './tree.ts'
import { Writer } from './writer.ts'

/** The definition, the record that creates the document, and the one that gives it its state. */
const recordsBefore = 3

/** Plays lines up to the last and resolves with its seq; the document has its state already. */
export type Player = (tree: Tree, doc: string, recording: Recording) => Promise<number>

/** By the command `fanfold feed`, at full speed. */
export const byCommand: Player = async ({ cluster, authority }, doc, recording) => {
  const { files } = withFiles(recording, cluster.directory)
  const result = await runFanfold(
    [
      'feed',
      files.lines,
      ...['--doc', doc, '--initial', files.state],
      ...['--speed', 'max', '--in-flight', '1024', '--json'],
    ],
    { FANFOLD_URL: authority.url, FANFOLD_TOKEN: cluster.token },
  )
  if (result.code !== 0) throw new Error(`fanfold feed ended with ${result.code}: ${result.errors}`)
  const { sent, malformed, seq }: Record<string, number> = JSON.parse(result.output)
  if (sent !== recording.lines.length || malformed !== 0) throw new Error(result.output)
  return seq ?? 0
}

/** By a socket of this process. */
export const bySocket: Player = async ({ cluster, authority }, doc, { state, lines }) => {
  const writer = await Writer.open({ url: authority.url, token: cluster.token })
  const messages = lines.map(value => ({ message: 'merge', value }))
  try {
    return await writer.sendAll(doc, [{ message: 'start', value: { state } }, ...messages])
  } finally {
    writer.close()
  }
}

/**
 * Plays a recording through the tree while viewers join before, in the middle and after it, and
 * checks all that they got.
 */
export async function checkPlay(
  t: Test,
  options: {
    readonly tree: Tree
    readonly id: string
    readonly recording: Recording
    readonly player: Player
    /** Viewers that join while it plays. */
    readonly middleCount: number
  },
): Promise<void> {
  const { tree, id, recording, player, middleCount } = options
  const { lines, finalHash } = recording
  const doc = `a/timing/${id}`
  const { token } = tree.cluster
  const viewers: RawViewer[] = []
  const join = async (): Promise<RawViewer> => {
    const viewer = await RawViewer.open({ url: tree.edge.url, token, doc })
    viewers.push(viewer)
    return viewer
  }

  const created = await fetch(`${tree.authority.httpUrl}/v1/documents/${doc}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  })
  t.equal(created.status, 201)
  const first = await join()
  await first.untilSeq(1)
  const playing = player(tree, doc, recording)
  // What goes wrong while viewers join is told when they have.
  playing.catch(() => undefined)
  for (let index = 1; index <= middleCount; index++) {
    const seq = Math.floor((lines.length * index) / (middleCount + 1))
    await until(`half of ${recording.name} is played`, () => first.seq >= seq, 40_000)
    await join()
  }
  const lastSeq = await playing
  await join()

  t.equal(lastSeq, recordsBefore + lines.length, 'each line is one record')
  for (const viewer of viewers) {
    await viewer.untilSeq(lastSeq)
    t.same(viewer.problems, [], 'ranges adjoin and every delta applies')
    t.equal(viewer.snapshots.length, 1, 'a viewer gets one snapshot')
    t.equal(canonicalHash(viewer.state ?? {}), finalHash, `the state at ${lastSeq}`)
  }
  t.equal(first.deltas.length, lines.length + 1, 'who was there first got every delta')
  const records = new Map([...logRecords(tree.data, doc)].map(({ record }) => [record.seq, record]))
  const differing = first.deltas.filter(({ seq, patch }) => {
    const logged = records.get(seq)?.payload(partTags.public)
    return logged === undefined || !patch.equals(logged)
  })
  t.same(differing, [], 'the bytes of each patch are those of the log')
  for (const viewer of viewers) viewer.close()
}
