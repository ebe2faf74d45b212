import { join } from 'node:path'
import type { CrowdSettings, CrowdState } from '../clients/client-messages.ts'
import { ClientProcess } from '../clients/client-process.ts'
import { clientsNetwork, type Stage } from '../stage.ts'
import { ledger } from './stages.ts'

/** Very many viewers in one process. */
export type Crowd = ClientProcess<CrowdSettings, CrowdState>

/** Longest time until a crowd is there, ms. */
export const crowdMsMax = 30_000

/** Starts a crowd at some edges; it ends with the stage. */
export async function startCrowd(
  stage: Stage,
  crowd: Pick<CrowdSettings, 'count' | 'rampMs' | 'stalledShare'> & {
    readonly edges: readonly string[]
  },
): Promise<Crowd> {
  const { edges, ...settings } = crowd
  const token = await stage.audienceToken('open')
  const urls = edges.map(edge => stage.urlOf(edge))
  return new ClientProcess<CrowdSettings, CrowdState>({
    program: 'crowd-program',
    wrapper: stage.networks?.wrapper(clientsNetwork) ?? [],
    settings: { ...settings, doc: ledger, token, urls, seed: String(stage.prng.uint32()) },
    file: join(stage.directory, 'crowd.jsonl'),
    cleanups: stage.cleanups,
  })
}

/** Waits until all who read are shown something; how long that took, ms. */
export async function allServed(crowd: Crowd, seq = 0): Promise<number> {
  const startedAtMs = performance.now()
  await crowd.until(
    'the crowd is served',
    state => state.served === state.reading && state.seqMin >= seq,
    crowdMsMax,
  )
  return performance.now() - startedAtMs
}
