import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { Command, type Line } from './live-command.ts'
import type { SmallFrame } from './raw-viewer.ts'

const program = fileURLToPath(new URL('./viewer-program.js', import.meta.url))

/** A viewer after one frame; times are ms of the wall. */
export type ViewerLine = {
  readonly at: number
  readonly seq: number
  /** Deltas and snapshots so far. */
  readonly deltas: number
  readonly snapshots: number
  /** Which seqs the last delta spanned. */
  readonly last: { readonly from?: number; readonly seq?: number }
  /** When the newest value of its state was written. */
  readonly newest: number
  /** Of its state. */
  readonly hash: string
  readonly told: readonly SmallFrame[]
  readonly problems: readonly string[]
  readonly closeCode?: number
}

/** Where it runs, and what it watches. */
export type RemoteViewerSettings = {
  /** Programs that start the next one, with their arguments. */
  readonly wrapper: readonly string[]
  readonly url: string
  readonly token: string
  readonly doc: string
}

/** A viewer of one document in a process of its own. */
export class RemoteViewer {
  readonly #command: Command

  private constructor(command: Command) {
    this.#command = command
  }

  /** Starts it; resolves when it has a view. */
  static async open(t: Test, settings: RemoteViewerSettings): Promise<RemoteViewer> {
    const { doc, ...rest } = settings
    const viewer = new RemoteViewer(Command.start(t, { ...rest, program, args: [doc] }))
    await viewer.until(({ snapshots }) => snapshots > 0)
    return viewer
  }

  /** A line for each frame so far. */
  get lines(): readonly ViewerLine[] {
    return this.#command.lines.map(viewerLine)
  }

  /** After the last frame. */
  get now(): ViewerLine {
    const last = this.#command.lines.at(-1)
    if (last === undefined) throw new Error('it has no view')
    return viewerLine(last)
  }

  /** Waits until it has taken a frame after which something holds. */
  async until(
    holds: (line: ViewerLine) => boolean,
    options?: { readonly after?: number; readonly deadlineMs?: number },
  ): Promise<ViewerLine> {
    return viewerLine(await this.#command.untilLine(line => holds(viewerLine(line)), options))
  }

  /** How old its state is, each `everyMs` from one time to another, ms. */
  lags(span: {
    readonly fromMs: number
    readonly toMs: number
    readonly everyMs: number
  }): number[] {
    const { lines } = this
    const lags: number[] = []
    let index = 0
    for (let ms = span.fromMs; ms <= span.toMs; ms += span.everyMs) {
      while ((lines[index + 1]?.at ?? Number.POSITIVE_INFINITY) <= ms) index++
      lags.push(ms - (lines[index]?.newest ?? 0))
    }
    return lags
  }
}

/** What the program wrote, which is of this version. */
const viewerLine = (line: Line): ViewerLine => line as ViewerLine

/** The deltas of more than one seq. */
export function jumps(lines: readonly ViewerLine[]): ViewerLine['last'][] {
  return lines.flatMap(({ last }) => {
    const { from = 0, seq = 1 } = last
    return seq === from + 1 ? [] : [last]
  })
}

/** Seqs at which a viewer had another state than one that got each change. */
export function strangers(lines: readonly ViewerLine[], every: readonly ViewerLine[]): number[] {
  const hashes = new Map(every.map(({ seq, hash }) => [seq, hash]))
  return lines
    .filter(({ seq, hash }) => hashes.has(seq) && hashes.get(seq) !== hash)
    .map(({ seq }) => seq)
}
