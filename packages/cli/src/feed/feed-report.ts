/* What a feed has done so far, and how it is told. */

/** Malformed lines that are named; the rest are counted. */
const malformedNamedMax = 5

/** One line that was of no use, and why. */
export type MalformedLine = { readonly line: number; readonly reason: string }

/** Numbers of a feed; `lines` is the sum of `sent`, `skipped` and `malformed` when it is over. */
export class FeedReport {
  /** Lines of the recording that were read. */
  lines = 0
  /** Lines that are committed. */
  sent = 0
  /** Lines before the one to begin with, and blank ones. */
  skipped = 0
  malformed = 0
  /** The first malformed lines. */
  readonly malformedLines: MalformedLine[] = []
  /** Of the last committed line. */
  epoch = 0
  seq = 0
  /** The last line that needs not be sent again, nor any before it. */
  reached = 0

  addMalformed(line: number, reason: string): void {
    this.malformed++
    // What the authority refuses is known later than what is malformed here.
    this.malformedLines.push({ line, reason })
    this.malformedLines.sort((a, b) => a.line - b.line).splice(malformedNamedMax)
  }

  /** The end, for programs. */
  summary(seconds: number): Readonly<Record<string, unknown>> {
    const { lines, sent, skipped, malformed, malformedLines, epoch, seq, reached } = this
    return {
      lines,
      sent,
      skipped,
      malformed,
      malformedLines,
      seconds: Math.round(seconds * 1_000) / 1_000,
      epoch,
      seq,
      reached,
    }
  }

  /** The end, for people. */
  text(seconds: number): string {
    const { lines, sent, skipped, malformed, seq, malformedLines } = this
    const rate = seconds > 0 ? Math.round(sent / seconds) : sent
    const counts = `${lines} lines: ${sent} sent, ${skipped} skipped, ${malformed} malformed`
    const named = malformedLines.map(({ line, reason }) => `  line ${line}: ${reason}`)
    const more = malformed - malformedLines.length
    return [
      `${counts}; seq ${seq}, ${seconds.toFixed(1)} s, ${rate} lines/s`,
      ...named,
      ...(more > 0 ? [`  and ${more} more`] : []),
    ].join('\n')
  }
}
