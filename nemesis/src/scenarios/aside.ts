/* What is done to the files of an authority that is away, and to documents beside those of the stage. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from '../stage.ts'
import { ledger } from './stages.ts'

/** Longest time until what must happen has happened, ms. */
export const happenMsMax = 20_000

/** The authority ends, something happens to its files, and it is started again and takes writes. */
export async function whileAway(stage: Stage, act: (data: string) => void): Promise<void> {
  const { fleet, files, writers } = stage
  await fleet.node('authority').kill()
  const { acknowledged } = await writers.ask('tell')
  act(files.data)
  await fleet.restart('authority')
  await writers.until('writes go on', one => one.acknowledged > acknowledged, happenMsMax)
}

/** Where the files of a document are. */
export const directoryOf = (data: string, doc: string): string => join(data, 'documents', doc)

/** Those with an ending, oldest first. */
export function filesOf(data: string, ending: string, doc: string = ledger): string[] {
  const directory = directoryOf(data, doc)
  return readdirSync(directory)
    .filter(name => name.endsWith(ending))
    .sort()
    .map(name => join(directory, name))
}

/** What a write was answered: where it is in the log, or why it is not. */
export type Answer = {
  readonly code?: string
  readonly epoch?: number
  readonly seq?: number
}

/** Asks for a write of another document. */
export async function writeElsewhere(stage: Stage, doc: string): Promise<Answer> {
  const token = await stage.fleet.writerToken('elsewhere')
  const { port } = stage.fleet.node('authority')
  const answer = await fetch(`http://127.0.0.1:${port}/v1/documents/${doc}/messages/put`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ writer: 'elsewhere', value: 'x' }),
  })
  const said: Answer = JSON.parse(await answer.text())
  return said
}

/** Writes so often; the last place of it. */
export async function writeMany(stage: Stage, doc: string, count: number): Promise<number> {
  const answers = Array.from({ length: count }, () => writeElsewhere(stage, doc))
  return Math.max(...(await Promise.all(answers)).map(({ seq = 0 }) => seq))
}
