/* Figures of campaigns in files: a campaign may run in stages, and the stages add up. */
import { readFileSync, writeFileSync } from 'node:fs'
import { type CampaignFigures, CampaignResult } from './campaign-result.ts'

/** What is in a file: another version is not read. */
const version = 1

/** Writes figures into a file. */
export function writeResultFile(file: string, figures: CampaignFigures): void {
  writeFileSync(file, `${JSON.stringify({ version, ...figures }, undefined, 1)}\n`)
}

/**
 * Reads figures from a file.
 *
 * @throws RangeError or SyntaxError for a file that holds none
 */
export function readResultFile(file: string): CampaignFigures {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!isResult(value))
    throw new RangeError(`${file} is no result of a campaign, version ${version}`)
  return value
}

/** Files are written by this command: their version says what they hold. */
const isResult = (value: unknown): value is CampaignFigures =>
  typeof value === 'object' && value !== null && 'version' in value && value.version === version

/**
 * Adds up the figures of files; of which code they are is told by their machines.
 *
 * @throws RangeError when they count a seed twice
 */
export function sumResultFiles(files: readonly string[]): {
  readonly result: CampaignResult
  readonly seconds: number
} {
  const result = new CampaignResult()
  let seconds = 0
  for (const file of files) {
    const figures = readResultFile(file)
    result.merge(figures)
    seconds += figures.seconds
  }
  return { result, seconds }
}
