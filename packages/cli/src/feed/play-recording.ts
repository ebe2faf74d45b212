/*
 * Plays a recording into a document: reads lines, waits until each is due, and hands it to the sender
 * that keeps the order. What is of no use is counted, and the play goes on.
 */
import { FanfoldError } from '@fanfold/client'
import { limits } from '@fanfold/protocol'
import type { Clock } from '../terminal.ts'
import { FeedPace } from './feed-pace.ts'
import type { FeedReport } from './feed-report.ts'
import type { OrderedSender } from './ordered-sender.ts'
import { decodeLine } from './recording-line.ts'
import type { RawLine } from './recording-lines.ts'

/** A line longer than a frame can be is of no use, bytes. */
export const lineBytesMax: number = limits.writeFrameBytesMax.value

/** How a recording is played. */
export type PlayOptions = {
  readonly lines: AsyncIterable<RawLine>
  readonly sender: Pick<OrderedSender, 'add' | 'finish'>
  readonly report: FeedReport
  readonly clock: Clock
  readonly speed: number | 'max'
  /** Number of the first line that is sent, from 1. */
  readonly fromLine: number
  readonly valueField: string | undefined
  /** Aborted to stop reading; what is under way is finished. */
  readonly signal: AbortSignal
}

/** Plays until the end, or until the signal; resolves when all that was sent has been answered. */
export async function playRecording(options: PlayOptions): Promise<void> {
  const { lines, sender, report, clock, speed, fromLine, valueField, signal } = options
  const pace = new FeedPace(clock, speed)
  for await (const { number, bytes } of lines) {
    if (signal.aborted) break
    report.lines++
    if (number < fromLine) {
      report.skipped++
      continue
    }
    if (bytes === undefined) {
      report.addMalformed(number, `has more than ${lineBytesMax} bytes`)
      continue
    }
    const line = decodeLine(bytes, valueField)
    switch (line.kind) {
      case 'blank':
        report.skipped++
        break
      case 'malformed':
        report.addMalformed(number, line.reason)
        break
      case 'line':
        await pace.waitFor(line.ms, signal)
        if (signal.aborted) {
          report.lines--
          break
        }
        await sender.add({ number, value: line.value, bytes: bytes.length })
    }
  }
  await sender.finish()
}

/** Why a line was refused, for the report. */
export const refusalReason = (error: unknown): string =>
  error instanceof FanfoldError ? `${error.code}: ${error.message}` : String(error)

/** The id of a line within its play. */
export const lineId = (play: string, line: number | 'initial'): string => `${play}:${line}`
