/*
 * Which answers of rules a change may turn around: those of rules that read what it touches. A read's
 * `*` stands for what the rule's own `*` stand for, so a touched path that fits a read says of which
 * of the rule's places the answer may turn: `/players/anna/team` touches the read `/players/*`, and
 * turns only what `anna` stands for.
 */
import type { PrivacyRule } from '@fanfold/definition'
import {
  anySegment,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type PathPattern,
} from '@fanfold/document'

/** A path at, above or below which something changes; `segments` end at the first array on it. */
export type TouchedPath = readonly string[]

/** The answers of a rule that may turn: those for places whose `*` stand for these names. */
export type TouchedRule = {
  readonly rule: PrivacyRule
  /** By the position of the `*`, the first being 0; any name where it has no entry. */
  readonly names: ReadonlyMap<number, string>
}

/** The rules among `readers` that read what is at, above or below the paths. */
export function touchedRules(
  readers: readonly PrivacyRule[],
  paths: readonly TouchedPath[],
): readonly TouchedRule[] {
  const touched = new Map<string, TouchedRule>()
  for (const [index, rule] of readers.entries()) {
    for (const read of rule.reads) {
      for (const path of paths) {
        const names = touchedNames(read, path)
        if (names === undefined) continue
        touched.set(JSON.stringify([index, ...names]), { rule, names })
      }
    }
  }
  return [...touched.values()]
}

/** What the `*` of a read stand for where `path` touches it; undefined where it does not. */
function touchedNames(read: PathPattern, path: TouchedPath): Map<number, string> | undefined {
  const names = new Map<number, string>()
  for (const [depth, segment] of read.segments.entries()) {
    const name = path[depth]
    if (name === undefined) return names
    if (segment === anySegment) names.set(names.size, name)
    else if (segment !== name) return undefined
  }
  return names
}

/**
 * The places in `state` of a rule whose answer may turn, as their paths. A way that leads into an
 * array ends there: the array stands for all that is in it.
 */
export function touchedPlaces({ rule, names }: TouchedRule, state: JsonObject): string[][] {
  let ways: { readonly path: string[]; readonly value: JsonValue }[] = [{ path: [], value: state }]
  const places: string[][] = []
  let star = 0
  for (const segment of rule.pattern.segments) {
    const name = segment === anySegment ? names.get(star++) : segment
    const next: typeof ways = []
    for (const { path, value } of ways) {
      if (Array.isArray(value)) places.push(path)
      else if (isJsonObject(value)) {
        for (const member of name === undefined ? Object.keys(value) : [name]) {
          if (!Object.hasOwn(value, member)) continue
          next.push({ path: [...path, member], value: value[member] as JsonValue })
        }
      }
    }
    ways = next
  }
  return [...places, ...ways.map(way => way.path)]
}
