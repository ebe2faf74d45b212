import { sha256 } from '@fanfold/conformance'
import { plainCodec } from '@fanfold/document'
import { AskedParents } from '../src/asked-parents.ts'
import { AskedReplays } from '../src/asked-replays.ts'
import { AssemblyBudget } from '../src/assembly-budget.ts'
import { PiecePacker } from '../src/piece-packer.ts'
import type { UpstreamNode } from '../src/stream-core.ts'
import { defaultUpstreamLimits, type UpstreamLimits } from '../src/upstream-limits.ts'

/** What a lone stream shares with nobody; it asks its parent again whatever happens. */
export const upstreamNode = (
  limits: Partial<UpstreamLimits> = {},
  overrides: Partial<UpstreamNode> = {},
): UpstreamNode => ({
  sha256,
  limits: { ...defaultUpstreamLimits, ...limits },
  packer: new PiecePacker(plainCodec),
  budget: new AssemblyBudget(),
  repair: () => 'here',
  replays: new AskedReplays(),
  asked: new AskedParents(limits.answerMaxMs ?? defaultUpstreamLimits.answerMaxMs),
  isRouted: false,
  isMovable: () => false,
  isSnapshotDisabled: false,
  ...overrides,
})
