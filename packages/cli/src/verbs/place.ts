import { FanfoldError } from '@fanfold/client'
import { type AdminSettings, adminOptions, askAdmin, readAdminOptions } from '../admin-request.ts'
import { CommandError, usageError } from '../command-error.ts'
import { confirm, yesOption } from '../confirm.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { fieldsOf, numberOf } from '../json-fields.ts'
import {
  ownerText,
  type PlacementPlan,
  placementsText,
  planText,
  subjectText,
} from '../place-text.ts'
import { askSubject, type PlacedSubject } from '../placed-subject.ts'
import { isKept, quotaGiven, quotaOptions, quotaText } from '../quota-options.ts'
import type { Verb, VerbInput } from '../verb.ts'

/** How often it is looked whether the new owner serves, ms. */
const lookEveryMs = 200

/** `fanfold place`. */
export const placeVerb: Verb = {
  name: 'place',
  meaning:
    'Places a document, or all documents of a tenant, on an authority of a fleet; with --release they are whose they would be. With --quota-documents, --quota-viewers or --quota-bytes it bounds what a tenant may take in the fleet instead. Shows its plan and asks, then waits until the new owner serves, or all have heard. Ends with 1 when that takes longer than --within. Without any of these it shows whose it is.',
  arguments: [
    { syntax: '[subject]', meaning: 'Key of a document, <tenant>/<type>/<id>, or a tenant.' },
    { syntax: '[node]', meaning: 'Name of the authority.' },
  ],
  options: [
    ...adminOptions,
    { flags: '--why <text>', meaning: 'What it is done for, for whoever looks later.' },
    {
      flags: '--who <name>',
      meaning: 'Who does it; without it, the user as the system calls them.',
    },
    { flags: '--release', meaning: 'Nothing is said any more of where it is.' },
    ...quotaOptions,
    { flags: '--list', meaning: 'Shows all that is placed, by whom and why.' },
    yesOption,
    {
      flags: '--within <duration>',
      meaning: 'How long the new owner may take.',
      default: '15s',
    },
    { flags: '--no-wait', meaning: 'Ends as soon as it is kept.' },
  ],
  examples: [
    'place acme/match/final authority-2 --why "closer to its writers"',
    'place acme authority-2 --why "a machine of their own" --yes --json',
    'place acme --release --why "the season is over"',
    'place acme --quota-viewers 5000 --quota-bytes 10MiB --why "as agreed"',
    'place acme --quota-viewers none --why "they pay for more"',
    'place acme/match/final',
    'place --list',
  ],
  run: place,
}

async function place(input: VerbInput): Promise<ExitCode> {
  const { options, output, terminal } = input
  const [subject, node] = input.arguments
  const isRelease = options.isSet('release')
  const settings = readAdminOptions(options, terminal)
  if (options.isSet('list')) {
    if (subject !== undefined || isRelease) throw usageError('--list stands alone')
    const answer = await askAdmin('GET', '/admin/place', settings)
    await output.result(answer, () => placementsText(answer))
    return exitCodes.ok
  }
  if (subject === undefined) throw usageError('a document’s key or a tenant is needed, or --list')
  if (node !== undefined && isRelease) throw usageError('a node or --release, not both')
  const quota = quotaGiven(options)
  if (quota !== undefined) {
    if (node !== undefined || isRelease) {
      throw usageError('where it is, or what it may take: one of them at a time')
    }
    const plan = { kind: 'quota', quota, ...reasonOf(input) } as const
    return await change(input, subject, plan, settings)
  }
  if (node === undefined && !isRelease) {
    const seen = await askSubject(subject, settings)
    await output.result(seen, () => subjectText(seen))
    return exitCodes.ok
  }
  const plan = { kind: 'node', node, ...reasonOf(input) } as const
  return await change(input, subject, plan, settings)
}

/** Who does it, and what for. */
function reasonOf({ options, terminal }: VerbInput): Pick<PlacementPlan, 'who' | 'why'> {
  const who = options.text('who') ?? terminal.user
  if (who === undefined)
    throw usageError('--who says who does this: the system has no name for you')
  const why = options.text('why')?.trim() ?? ''
  if (why === '') throw usageError('--why says what this is done for, for whoever looks later')
  return { who, why }
}

async function change(
  input: VerbInput,
  subject: string,
  plan: PlacementPlan,
  settings: AdminSettings,
): Promise<ExitCode> {
  const { options, output, terminal } = input
  const withinMs = options.duration('within', { minMs: 100, maxMs: 3_600_000 })
  const before = await askSubject(subject, settings)
  const from = terminal.clock.now()
  let { version } = before
  const same = sameText(before, plan)
  if (same !== undefined) {
    await output.note(`${subject} ${same} (version ${version}): nothing is changed`)
  } else {
    await output.note(planText(before, plan))
    await confirm(input, questionOf(plan))
    version = await order(before, plan, settings)
  }
  const told =
    plan.kind === 'quota'
      ? { subject, quota: plan.quota, version }
      : { subject, node: plan.node ?? null, version, before: before.owner ?? null }
  if (options.isUnset('wait')) {
    await output.result({ ...told, isServed: false }, () => `${subject} is at version ${version}`)
    return exitCodes.ok
  }
  const after = await untilServed({ input, settings, plan, subject, version, withinMs })
  const tookMs = Math.round(terminal.clock.now() - from)
  if (plan.kind === 'quota') {
    const text = `${subject} may take ${quotaText(after.placed?.quota)}: all nodes have heard after ${tookMs} ms (version ${version})`
    await output.result({ ...told, isHeard: true, tookMs }, () => text)
    return exitCodes.ok
  }
  await output.result(
    { ...told, owner: after.owner ?? null, isServed: true, tookMs },
    () => `${subject} is served by ${ownerText(after)} after ${tookMs} ms (version ${version})`,
  )
  return exitCodes.ok
}

const questionOf = (plan: PlacementPlan): string =>
  plan.kind === 'quota' ? 'Bound it?' : plan.node === undefined ? 'Release it?' : 'Place it?'

/** What is so already, where nothing is to be changed. */
function sameText({ placed }: PlacedSubject, plan: PlacementPlan): string | undefined {
  if (plan.kind === 'quota') {
    return isKept(placed?.quota, plan.quota) ? 'may take as much already' : undefined
  }
  if (placed?.node !== plan.node) return undefined
  return plan.node === undefined ? 'is not placed' : `is placed on ${plan.node} already`
}

/** Does it, if nothing else was said meanwhile; the version that it has then. */
async function order(
  { subject, version: expectedVersion }: PlacedSubject,
  plan: PlacementPlan,
  settings: AdminSettings,
): Promise<number> {
  const { who, why } = plan
  const what = plan.kind === 'quota' ? { quota: plan.quota } : { node: plan.node ?? null }
  const wish = { subject, ...what, who, why, expectedVersion }
  const answer = await askAdmin('POST', '/admin/place', settings, { order: wish })
  return numberOf(fieldsOf(answer['placed'])?.['version'])
}

/** What is waited for. */
type Waiting = {
  readonly input: VerbInput
  readonly settings: AdminSettings
  readonly plan: PlacementPlan
  readonly subject: string
  readonly version: number
  readonly withinMs: number
}

/** Looks again and again until the new owner serves. @throws CommandError when it takes too long */
async function untilServed(waiting: Waiting): Promise<PlacedSubject> {
  const { input, settings, subject, version, withinMs } = waiting
  const { clock, interrupted } = input.terminal
  const from = clock.now()
  for (;;) {
    const seen = await askSubject(subject, settings)
    if (seen.version > version) {
      const { who = 'somebody', why = '' } = seen.placed ?? {}
      const message = `${subject} is at version ${seen.version} by now: ${who} has placed it otherwise (${why})`
      throw new FanfoldError('FANFOLD_PLACEMENT_CONFLICT', message)
    }
    const reason = notServed(seen, waiting)
    if (reason === undefined) return seen
    const tookMs = Math.round(clock.now() - from)
    if (tookMs > withinMs) {
      const message = `${subject} is placed (version ${version}), and after ${tookMs} ms ${reason}: look again with fanfold place ${subject}`
      throw new CommandError('FANFOLD_FAILED', message)
    }
    await clock.wait(lookEveryMs, interrupted)
  }
}

/** Why the new owner is not known to serve yet, in words. */
function notServed(seen: PlacedSubject, { version, plan }: Waiting): string | undefined {
  const { asked, owner, problem, authoritiesBehind, behind, isLiveHere } = seen
  if (seen.version < version) return `${asked} has not heard of it`
  if (plan.kind === 'quota') {
    // Edges keep it too.
    return behind.length > 0 ? `${behind.join(', ')} may not have heard of it` : undefined
  }
  if (problem !== undefined) return problem
  if (plan.node !== undefined && owner !== plan.node) return `its owner is ${owner ?? 'nobody'}`
  if (authoritiesBehind.length > 0)
    return `${authoritiesBehind.join(', ')} may not have heard of it`
  return isLiveHere === false ? `${asked} does not have it from there` : undefined
}
